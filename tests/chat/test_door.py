"""The door: a handshake and an auth payload in, an identity out, and the parts of the handshake that are kept."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest
from jwt.algorithms import Algorithm

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
def test_a_valid_token_gives_an_identity(headers: dict[str, str], auth: dict[str, object]) -> None:
    """C-01, C-03"""
    identity = door().identify(handshake(**headers), auth)
    assert (identity.user, identity.rol) == ("maria", "user")


EXPIRED = token(exp=int(NOW) - 60)
FORGED = token()[:-6] + "AAAAAA"
NAMELESS = token(name=...)


@pytest.mark.parametrize(
    "bad", [EXPIRED, FORGED, NAMELESS, "garbage"], ids=["expired", "forged", "nameless", "garbage"]
)
@pytest.mark.parametrize(
    ("headers", "auth"),
    [
        ({"cookie": "token=BAD"}, {"token": token()}),
        ({"cookie": "token=BAD", "authorization": f"Bearer {token()}"}, {}),
        ({"authorization": f"Bearer {token()}"}, {"token": "BAD"}),
        ({"cookie": "token=BAD", "authorization": f"Bearer {token()}"}, {"token": "BAD"}),
        ({"cookie": "token=BAD", "authorization": f"Bearer {token()}"}, {"token": "worse"}),
    ],
)
def test_an_invalid_token_does_not_hide_a_valid_one(bad: str, headers: dict[str, str], auth: dict[str, str]) -> None:
    """C-63: a page cannot delete an expired HttpOnly cookie"""
    came = handshake(**{name: value.replace("BAD", bad) for name, value in headers.items()})
    identity = door().identify(came, {name: value.replace("BAD", bad) for name, value in auth.items()})
    assert identity.user == "maria"


def test_the_cookie_wins_over_other_valid_tokens() -> None:
    """C-01: no script of the page can choose the cookie"""
    came = handshake(cookie=f"token={token()}", authorization=f"Bearer {token(user='eva')}")
    assert door().identify(came, {"token": token(user="pepe")}).user == "maria"
    stale = handshake(cookie=f"token={EXPIRED}", authorization=f"Bearer {token(user='eva')}")
    assert door().identify(stale, {"token": token(user="pepe")}).user == "pepe"


@pytest.mark.parametrize(
    ("cookie", "auth", "bearer", "code"),
    [
        (EXPIRED, "garbage", None, "token_expired"),
        ("garbage", EXPIRED, None, "token_expired"),
        (EXPIRED, None, "a token of somebody else", "token_expired"),
        (EXPIRED, NAMELESS, None, "claims_invalid"),
        (NAMELESS, EXPIRED, "garbage", "token_expired"),
        ("garbage", "rubbish", "litter", "token_invalid"),
        (EXPIRED, EXPIRED, EXPIRED, "token_expired"),
    ],
)
def test_without_a_valid_token_the_code_is_that_of_the_last_genuine_one(
    cookie: str, auth: str | None, bearer: str | None, code: str
) -> None:
    """C-63: a token that a proxy adds in Authorization must not stop a page from fetching a fresh token"""
    headers = {"cookie": f"token={cookie}", **({} if bearer is None else {"authorization": f"Bearer {bearer}"})}
    checked = door()
    with pytest.raises(ConnectRefusedError) as refused:
        checked.identify(handshake(**headers), {} if auth is None else {"token": auth})
    assert refused.value.data == {"code": code}
    assert checked.refused == {code: 1}


def test_with_several_tokens_each_error_names_its_source() -> None:
    """C-63"""
    with pytest.raises(ConnectRefusedError) as refused:
        door().identify(handshake(cookie=f"token={EXPIRED}"), {"token": FORGED})
    assert refused.value.message == (
        "In the cookie token: The token has expired. In auth.token: The token's signature does not hold."
    )


class Counting:
    """An algorithm that counts verifications."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.asked = 0
        self._algorithm = algorithm

    def verify(self, *question: Any) -> bool:
        self.asked += 1
        return self._algorithm.verify(*question)


@pytest.mark.parametrize(
    ("cookie", "auth", "bearer", "asked"),
    [
        (token(), FORGED, FORGED, 1),
        (EXPIRED, token(), FORGED, 2),
        (EXPIRED, FORGED, NAMELESS, 3),
        (EXPIRED, EXPIRED, EXPIRED, 1),
        (f"{EXPIRED}; token={FORGED}; token={NAMELESS}", "garbage", "x", 1),
    ],
)
def test_a_connect_checks_three_signatures_at_most(cookie: str, auth: str, bearer: str, asked: int) -> None:
    """C-63"""
    config = AuthConfig(jwt_secret=SECRET)
    (key,) = load_keys(config)
    counting = Counting(key.method)
    checked = Door(config, Verifier(config, [dataclasses.replace(key, method=counting)], lambda: NOW))  # type: ignore[arg-type]
    with contextlib.suppress(ConnectRefusedError):
        checked.identify(handshake(cookie=f"token={cookie}", authorization=f"Bearer {bearer}"), {"token": auth})
    assert counting.asked == asked


def test_a_refusal_has_a_sentence_and_a_code() -> None:
    """C-04"""
    with pytest.raises(ConnectRefusedError) as refused:
        door(now=NOW + 3600).identify(handshake(cookie=f"token={token()}"), {})
    assert refused.value.message == "The token has expired."
    assert refused.value.data == {"code": "token_expired"}


def test_other_cookies_are_dropped_and_the_next_connect_still_works() -> None:
    """C-01: browsers send kilobytes of cookies, which would be kept as long as the connection."""
    once = handshake(cookie=f"a={'x' * 4_000}; token={token()}; b=c", authorization="Basic secret")
    for _ in range(2):
        assert door().identify(once, {}).user == "maria"
        assert once.headers == {COOKIE: f"token={token()}"}


def test_a_token_in_the_header_is_kept() -> None:
    """C-01"""
    once = handshake(cookie="a=b", authorization=f"Bearer {token()}")
    for _ in range(2):
        assert door().identify(once, {}).user == "maria"
        assert once.headers == {AUTHORIZATION: f"Bearer {token()}"}


def test_a_token_in_the_auth_payload_is_used_for_one_connect() -> None:
    """C-01"""
    once = handshake(cookie="a=b")
    assert door().identify(once, {"token": token()}).user == "maria"
    with pytest.raises(ConnectRefusedError) as refused:
        door().identify(once, {})
    assert refused.value.data == {"code": "token_missing"}


def test_after_a_refusal_the_tokens_are_kept_for_the_next_attempt() -> None:
    """C-04"""
    once = handshake(cookie="token=garbage; other=x")
    with pytest.raises(ConnectRefusedError):
        door().identify(once, {})
    assert door(cookie="other").identify(handshake(cookie=f"token=garbage; other={token()}"), {}).user == "maria"
    assert once.headers == {COOKIE: "token=garbage; other=x"}
