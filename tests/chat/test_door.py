"""The door: a handshake and an auth payload in, an identity out, and what is kept of the handshake."""

from __future__ import annotations

import pytest

from chatd.auth import AuthConfig, Verifier, load_keys
from chatd.chat.door import AUTHORIZATION, COOKIE, KEPT_HEADERS, Door
from chatd.engineio.session import Handshake
from chatd.socketio.namespace import ConnectRefusedError
from tests.auth.tokens import NOW, SECRET, token


def door(*, cookie: str = "token", now: float = NOW) -> Door:
    config = AuthConfig(jwt_secret=SECRET, cookie=cookie)
    return Door(config, Verifier(config, load_keys(config), lambda: now))


def handshake(**headers: str) -> Handshake:
    return Handshake("192.0.2.1", "", {name.encode(): value for name, value in headers.items()})


def test_the_door_needs_two_headers() -> None:
    """C-01"""
    assert {b"cookie", b"authorization"} == KEPT_HEADERS == {COOKIE, AUTHORIZATION}


@pytest.mark.parametrize(
    ("headers", "auth"),
    [
        ({"cookie": f"a=b; token={token()}; c=d"}, {}),
        ({}, {"token": token()}),
        ({"authorization": f"Bearer {token()}"}, {}),
        ({"cookie": "a=b", "authorization": "Basic x"}, {"token": token()}),
    ],
)
def test_a_good_token_says_who_somebody_is(headers: dict[str, str], auth: dict[str, object]) -> None:
    """C-01, C-03"""
    identity = door().identify(handshake(**headers), auth)
    assert (identity.user, identity.rol) == ("maria", "user")


def test_a_refusal_has_a_sentence_and_a_code() -> None:
    """C-04"""
    with pytest.raises(ConnectRefusedError) as refused:
        door(now=NOW + 3600).identify(handshake(cookie=f"token={token()}"), {})
    assert refused.value.message == "The token has expired."
    assert refused.value.data == {"code": "token_expired"}


def test_other_cookies_are_let_go_and_the_next_connect_still_works() -> None:
    """C-01: browsers send kilobytes of them, for as long as a connection lives."""
    once = handshake(cookie=f"a={'x' * 4_000}; token={token()}; b=c", authorization="Basic secret")
    for _ in range(2):
        assert door().identify(once, {}).user == "maria"
        assert once.headers == {COOKIE: f"token={token()}"}


def test_a_token_in_the_header_is_kept_as_it_came() -> None:
    """C-01"""
    once = handshake(cookie="a=b", authorization=f"Bearer {token()}")
    for _ in range(2):
        assert door().identify(once, {}).user == "maria"
        assert once.headers == {AUTHORIZATION: f"Bearer {token()}"}


def test_a_token_of_the_auth_payload_serves_one_connect() -> None:
    """C-01"""
    once = handshake(cookie="a=b")
    assert door().identify(once, {"token": token()}).user == "maria"
    with pytest.raises(ConnectRefusedError) as refused:
        door().identify(once, {})
    assert refused.value.data == {"code": "token_missing"}


def test_after_a_refusal_everything_is_there_for_the_next_attempt() -> None:
    """C-04"""
    once = handshake(cookie="token=garbage; other=x")
    with pytest.raises(ConnectRefusedError):
        door().identify(once, {})
    assert door(cookie="other").identify(handshake(cookie=f"token=garbage; other={token()}"), {}).user == "maria"
    assert once.headers == {COOKIE: "token=garbage; other=x"}
