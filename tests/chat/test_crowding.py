"""Limits over real sockets: the refusals, and that they end when there is room again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chat.people import Chat, chatting, cookie, join, refused, token
from tests.conformance.wire import Answer, RefusedUpgradeError


async def turned_away(chat: Chat, *, forwarded_for: str = "") -> list[Answer]:
    """The refusals of a new session, on either transport."""
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    by_polling = await chat.client.request("GET", {"EIO": "4", "transport": "polling"}, headers)
    with pytest.raises(RefusedUpgradeError) as by_websocket:
        await chat.client.raw_websocket(headers)
    return [by_polling, by_websocket.value.answer]


@pytest.mark.parametrize(
    ("limit", "status", "code"), [("max_connections", 503, 6), ("max_connections_per_address", 429, 7)]
)
async def test_a_client_over_the_limit_is_told_to_retry_later(db: Path, limit: str, status: int, code: int) -> None:
    """L-01, L-02"""
    async with chatting(db, **{limit: "2"}) as chat:
        ana, _ = await chat.enter("ana"), await chat.enter("eva")
        for answer in await turned_away(chat):
            assert (answer.status, answer.json()["code"]) == (status, code)
            assert answer.json()["detail"].startswith(f"{limit}: ")
            assert int(answer.header("retry-after") or 0) > 0
        ana.vanish()
        await chat.client.settled()
        assert (await (await chat.enter("berta")).write("root", "hola"))["ok"] is True


async def test_clients_over_the_accept_rate_get_retry_after(db: Path) -> None:
    """L-03"""
    async with chatting(db, accept_rate="0.01") as chat:
        await chat.enter("ana")
        for answer in await turned_away(chat):
            assert (answer.status, answer.json()["code"]) == (503, 6)
            assert 90 <= int(answer.header("retry-after") or 0) <= 100


async def test_behind_a_trusted_proxy_the_client_s_address_counts(db: Path) -> None:
    """L-04"""
    async with chatting(db, max_connections_per_address="1", trusted_proxy=["127.0.0.0/8"]) as chat:
        for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
            await join(chat.client, {**cookie(token("ana")), "X-Forwarded-For": f"198.51.100.7, {address}"})
        for known in ("192.0.2.1", "2001:db8::2"):
            assert [answer.status for answer in await turned_away(chat, forwarded_for=known)] == [429, 429]


async def test_an_untrusted_proxy_s_header_is_ignored(db: Path) -> None:
    """L-04"""
    async with chatting(db, max_connections_per_address="1") as chat:
        await join(chat.client, {**cookie(token("ana")), "X-Forwarded-For": "192.0.2.1"})
        assert [answer.status for answer in await turned_away(chat, forwarded_for="192.0.2.2")] == [429, 429]


async def test_the_sockets_of_a_user_are_limited(db: Path) -> None:
    """L-05"""
    async with chatting(db, max_connections_per_user="2") as chat:
        first, second = await chat.enter("ana"), await chat.enter("ana")
        code, message = await refused(chat.client, cookie(token("ana")))
        assert (code, message.count("2")) == ("too_many_connections", 1)
        await chat.enter("eva")
        first.vanish()
        await chat.client.settled()
        await chat.enter("ana")
        assert chat.rooms == {"user:ana": 2, "user:eva": 1}
        assert await second.inbox() == []


async def test_a_user_over_the_message_rate_is_told_when_to_retry(db: Path) -> None:
    """L-06: over all its sockets; the message is not delivered, and other users are not delayed."""
    async with chatting(db, message_rate="0.01", message_burst="2") as chat:
        tabs, eva = [await chat.enter("ana") for _ in range(2)], await chat.enter("eva")
        assert [(await tab.write("eva", "hola"))["ok"] for tab in tabs] == [True, True]
        for tab in tabs:
            error = (await tab.write("eva", "one too many"))["error"]
            assert error.keys() == {"code", "message", "retry_after_ms"}
            assert error["code"] == "rate_limited"
            assert 90_000 < error["retry_after_ms"] <= 100_000
        assert (await eva.write("ana", "hola"))["ok"] is True
        assert [(await eva.hear())[1]["mensaje"] for _ in range(2)] == ["hola", "hola"]


async def test_a_user_who_exceeds_the_message_rate_for_too_long_is_disconnected(db: Path) -> None:
    """L-06"""
    async with chatting(db, message_rate="0.01", message_burst="2") as chat:
        ana, tab = await chat.enter("ana"), await chat.enter("ana")
        for _ in range(2 + 20):
            await ana.emit("mensaje_privado", {"para": "eva", "mensaje": "hola"})
        assert [event[1]["code"] for event in [await ana.hear() for _ in range(20)]] == ["rate_limited"] * 20
        await ana.emit("mensaje_privado", {"para": "eva", "mensaje": "hola"})
        assert (await ana.hear())[0] == "mensaje_error"
        event, error = await ana.hear()
        assert (event, error["code"]) == ("desconexion", "rate_limited")
        assert await ana.last_words() == []
        assert chat.rooms == {"user:ana": 1}
        assert (await tab.write("ana", "still too fast"))["error"]["code"] == "rate_limited"


async def test_messages_over_the_characters_per_minute_are_refused_and_not_delivered(db: Path) -> None:
    """L-13: over all sockets of the user, with and without a cid; the session goes on."""
    async with chatting(db, max_chars_per_minute="100") as chat:
        ana, tab, root = await chat.enter("ana"), await chat.enter("ana"), await chat.enter("root", "admin")
        assert (await ana.write("root", "x" * 90))["ok"]
        for message in ({"mensaje": "y" * 50}, {"mensaje": "y" * 50, "cid": "c"}):
            refused = (await tab.ask("mensaje_privado", {"para": "root", **message}))["error"]
            assert refused["code"] == "rate_limited"
            assert 20_000 < refused["retry_after_ms"] <= 24_000
        assert (await ana.ask("quien_soy"))["user"] == "ana"
        assert (await root.write("ana", "z" * 50))["ok"]
        assert [event[1]["mensaje"] for event in await root.inbox()] == ["x" * 90]
