"""Authentication at CONNECT, over real sockets: sources of tokens, their claims, and refusals."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.chat.people import SECRET, Chat, chatting, connect, cookie, join, refused, token
from tests.conformance.wire import PollingSession

HEADER_OF_NONE = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()


REFUSED: Mapping[str, tuple[str, str]] = {
    "not a token": ("garbage", "token_invalid"),
    "three empty parts": ("..", "token_invalid"),
    "of somebody else": (token("ana", secret=SECRET[::-1]), "token_invalid"),
    "unsigned": (f"{HEADER_OF_NONE}.{token('ana').split('.')[1]}.", "token_invalid"),
    "with the payload of another": (
        ".".join([token("ana").split(".")[0], token("root", "admin").split(".")[1], token("ana").split(".")[2]]),
        "token_invalid",
    ),
    "too long": (token("ana", filler="x" * 9_000), "token_invalid"),
    "not valid yet": (token("ana", nbf=int(time.time()) + 86_400), "token_invalid"),
    "for somebody else's server": (token("ana", aud="another"), "token_invalid"),
    "expired": (token("ana", ttl_s=-60), "token_expired"),
    "expired for longer than clocks may differ": (token("ana", exp=int(time.time()) - 10), "token_expired"),
    "for ever": (token("ana", exp=...), "claims_invalid"),
    "exp is a text": (token("ana", exp="2099"), "claims_invalid"),
    "no user": (token(...), "claims_invalid"),
    "an empty user": (token(""), "claims_invalid"),
    "user is a number": (token(7), "claims_invalid"),
    "user is null": (token(None), "claims_invalid"),
    "user is too long": (token("x" * 129), "claims_invalid"),
    "user holds a control character": (token("ana\x00"), "claims_invalid"),
    "no name": (token("ana", name=...), "claims_invalid"),
    "name is a list": (token("ana", name=["ana"]), "claims_invalid"),
    "no rol": (token("ana", ...), "claims_invalid"),
    "an empty rol": (token("ana", ""), "claims_invalid"),
    "rol is a list": (token("ana", ["admin"]), "claims_invalid"),
}


async def test_a_connect_without_a_token_is_refused(chat: Chat) -> None:
    """C-01, C-04"""
    code, message = await refused(chat.client)
    assert code == "token_missing"
    assert "the cookie token" in message
    assert "no cookies came" in message
    assert chat.rooms == {}


@pytest.mark.parametrize("why", REFUSED)
async def test_a_token_that_does_not_hold_is_refused_with_its_code(chat: Chat, why: str) -> None:
    """C-02, C-04: the answer contains nothing of the token."""
    text, expected = REFUSED[why]
    code, message = await refused(chat.client, cookie(text))
    assert code == expected
    assert message.endswith(".")
    assert not set(text.split(".")) & set(message.split())
    assert chat.rooms == {}


async def test_the_issuer_and_the_audience_are_settings(db: Path) -> None:
    """C-02"""
    async with chatting(db, jwt_issuer="login", jwt_audience=["chat", "support"]) as chat:
        await join(chat.client, cookie(token("ana", iss="login", aud="chat")))
        await join(chat.client, cookie(token("ana", iss="login", aud=["other", "support"])))
        for issuer, audience in ((..., ...), ("login", ...), ("other", "chat"), ("login", "other"), ("login", [])):
            code, _ = await refused(chat.client, cookie(token("ana", iss=issuer, aud=audience)))
            assert code == "token_invalid"


async def test_tokens_without_exp_and_the_leeway_are_settings(db: Path) -> None:
    """C-02"""
    async with chatting(db, jwt_require_exp="false", jwt_leeway="60") as chat:
        await join(chat.client, cookie(token("ana", exp=...)))
        await join(chat.client, cookie(token("ana", ttl_s=-30)))
        code, _ = await refused(chat.client, cookie(token("ana", ttl_s=-90)))
        assert code == "token_expired"


async def test_a_fresh_token_is_valid_although_the_server_s_clock_is_seconds_behind(chat: Chat) -> None:
    """C-61"""
    await join(chat.client, cookie(token("ana", nbf=int(time.time()) + 3)))
    assert chat.rooms == {"user:ana": 1}


NEIGHBOURS = [
    "{}",
    "theme=dark; {}; _ga=GA1.2=3",
    "{};",
    ";;; {} ;",
    "=; no value; {}; =x",
    'quoted="a; b"; {}; x',
    "xtoken=wrong; token2=wrong; Token=wrong; {}",
    "token=; {}",
    "tóken=ä; {}",
    "a=" + "x" * 8_000 + "; {}",
    "; ".join(f"c{number}=v" for number in range(500)) + "; {}",
    "\t{}\t;\t",
    "__proto__=x; {}",
]


@pytest.mark.parametrize("header", NEIGHBOURS)
async def test_the_cookie_is_found_among_malformed_ones(chat: Chat, header: str) -> None:
    """C-01"""
    await join(chat.client, {"Cookie": header.format(f"token={token('ana')}")})
    assert chat.rooms == {"user:ana": 1}


async def test_a_quoted_value_is_unquoted(chat: Chat) -> None:
    """C-01"""
    await join(chat.client, {"Cookie": f'token="{token("ana")}"'})
    assert chat.rooms == {"user:ana": 1}


async def test_the_first_of_two_cookies_with_the_name_counts(chat: Chat) -> None:
    """C-01: browsers send the cookie with the longer path first."""
    await join(chat.client, {"Cookie": f"token={token('ana')}; token={token('root', 'admin')}"})
    assert chat.rooms == {"user:ana": 1}


async def test_the_error_of_a_missing_cookie_names_the_received_cookies(chat: Chat) -> None:
    """C-04: their names, never their values."""
    _, message = await refused(chat.client, {"Cookie": "sessionid=s3cret; theme=dark"})
    assert "cookies seen: sessionid, theme" in message
    assert "s3cret" not in message


async def test_the_name_of_the_cookie_is_a_setting(db: Path) -> None:
    """C-01"""
    async with chatting(db, cookie="jwt") as chat:
        await join(chat.client, {"Cookie": f"jwt={token('ana')}"})
        code, message = await refused(chat.client, cookie(token("ana")))
        assert code == "token_missing"
        assert "the cookie jwt" in message


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def test_without_a_cookie_the_token_may_be_in_auth_or_the_header(chat: Chat) -> None:
    """C-01"""
    await join(chat.client, auth={"token": token("ana")})
    await join(chat.client, bearer(token("berta")))
    await join(chat.client, {"Authorization": f"bearer   {token('carla')} "})
    assert chat.rooms == {"user:ana": 1, "user:berta": 1, "user:carla": 1}


async def test_the_cookie_comes_before_auth_and_auth_before_the_header(chat: Chat) -> None:
    """C-01"""
    three = {**cookie(token("ana")), **bearer(token("carla"))}
    await join(chat.client, three, {"token": token("berta")})
    await join(chat.client, bearer(token("carla")), {"token": token("berta")})
    assert chat.rooms == {"user:ana": 1, "user:berta": 1}


@pytest.mark.parametrize("stale", ["garbage", token("ana", ttl_s=-60), token("ana", exp=...)])
async def test_an_invalid_cookie_hides_no_valid_token_of_another_source(chat: Chat, stale: str) -> None:
    """C-63"""
    await join(chat.client, cookie(stale), {"token": token("ana")})
    await join(chat.client, {**cookie(stale), **bearer(token("ana"))})
    assert chat.rooms == {"user:ana": 2}


@pytest.mark.parametrize("auth", [{}, {"token": ""}, {"token": 7}, {"token": None}, {"token": ["x"]}, {"Token": "x"}])
async def test_an_auth_payload_without_a_token_is_ignored(chat: Chat, auth: dict[str, object]) -> None:
    """C-01"""
    code, _ = await refused(chat.client, auth=auth)
    assert code == "token_missing"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic YW5hOmFuYQ==", "Bearerx"])
async def test_an_authorization_without_a_token_is_ignored(chat: Chat, authorization: str) -> None:
    """C-01"""
    code, _ = await refused(chat.client, {"Authorization": authorization})
    assert code == "token_missing"


async def test_auth_and_the_header_can_be_switched_off(db: Path) -> None:
    """C-01"""
    async with chatting(db, auth_token="false", bearer_token="false") as chat:
        code, message = await refused(chat.client, bearer(token("ana")), {"token": token("ana")})
        assert code == "token_missing"
        assert "auth.token" not in message
        assert "Bearer" not in message
        await join(chat.client, cookie(token("ana")))


async def test_one_source_can_be_switched_off_alone(db: Path) -> None:
    """C-01"""
    async with chatting(db, auth_token="false") as chat:
        await join(chat.client, bearer(token("ana")))
        code, message = await refused(chat.client, auth={"token": token("ana")})
        assert code == "token_missing"
        assert "Bearer" in message


async def test_a_refused_client_may_retry_on_the_same_session(chat: Chat) -> None:
    """C-04, S-15"""
    answer, websocket = await connect(chat.client)
    assert answer.startswith("44{")
    await websocket.send("40" + json.dumps({"token": token("ana")}))
    joined = await websocket.receive()
    assert isinstance(joined, str)
    assert joined.startswith('40{"sid":')
    assert chat.rooms == {"user:ana": 1}


async def test_a_cookie_is_used_for_every_connect_of_its_session(chat: Chat) -> None:
    """C-01, S-24"""
    ana = await join(chat.client, {"Cookie": f"theme=dark; token={token('ana')}; more=1"})
    for _ in range(3):
        await ana.leave()
        await ana.websocket.send("40")
        joined = await ana.websocket.receive()
        assert isinstance(joined, str)
        assert joined.startswith('40{"sid":')
        assert chat.rooms == {"user:ana": 1}


async def test_an_event_before_the_connect_ends_the_session(chat: Chat, db: Path) -> None:
    """C-03, S-16"""
    answer, websocket = await connect(chat.client)
    assert answer.startswith("44{")
    await websocket.send('420["mensaje_privado",{"para":"root","mensaje":"let me in"}]')
    assert await websocket.messages_until_closed() == []
    assert (await (await chat.enter("ana")).write("root", "hola"))["id"]


async def test_the_cookie_of_a_polling_session_is_that_of_its_handshake(chat: Chat) -> None:
    """C-01: cookies of later requests do not count."""
    session = await chat.client.polling(cookie(token("ana")))
    await session.post("40", headers=cookie(token("root", "admin")))
    [joined] = await session.poll()
    assert joined.startswith('40{"sid":')
    assert chat.rooms == {"user:ana": 1}


async def test_a_polling_session_without_a_cookie_does_not_get_one_later(chat: Chat) -> None:
    """C-01"""
    session: PollingSession = await chat.client.polling()
    await session.post("40", headers=cookie(token("ana")))
    [answer] = await session.poll()
    assert json.loads(answer.removeprefix("44"))["data"] == {"code": "token_missing"}
