"""Every kind of disconnect, over real sockets: the socket leaves all rooms at once, and other sockets stay."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from tests.chat.people import Chat, Person, chatting, connect, cookie, join, token
from tests.conformance.wire import CLOSE, NO_CODE, PollingSession


async def by_leaving(chat: Chat, person: Person) -> None:
    await person.leave()


async def by_packet(chat: Chat, person: Person) -> None:
    await person.websocket.send("1")


async def by_close_frame(chat: Chat, person: Person) -> None:
    await person.websocket.send_frame(CLOSE, b"\x03\xe8")


async def by_hanging_up(chat: Chat, person: Person) -> None:
    person.websocket.close()


async def by_abort(chat: Chat, person: Person) -> None:
    person.vanish()


async def by_breaking_a_rule(chat: Chat, person: Person) -> None:
    await person.websocket.send("garbage")


async def by_breaking_a_rule_of_packets(chat: Chat, person: Person) -> None:
    await person.websocket.send("42[]")


async def by_half_a_frame(chat: Chat, person: Person) -> None:
    await person.websocket.send_raw(b"\x81\xfe")
    person.vanish()


async def by_kick(chat: Chat, person: Person) -> None:
    [root] = [socket for socket in chat.namespace.sockets.values() if "admins" in socket.rooms]
    root.disconnect()
    assert await person.websocket.receive() == "41"


async def by_kick_of_the_session(chat: Chat, person: Person) -> None:
    [root] = [socket for socket in chat.namespace.sockets.values() if "admins" in socket.rooms]
    root.disconnect_session()
    assert await person.last_words() == ["41"]


ENDS: Mapping[str, Callable[[Chat, Person], Awaitable[None]]] = {
    way.__name__: way
    for way in (
        by_leaving,
        by_packet,
        by_close_frame,
        by_hanging_up,
        by_abort,
        by_breaking_a_rule,
        by_breaking_a_rule_of_packets,
        by_half_a_frame,
        by_kick,
        by_kick_of_the_session,
    )
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_disconnected_socket_has_left_its_rooms(chat: Chat, end: str) -> None:
    """C-05, E-24, E-26, S-24, S-25, S-28, S-29"""
    ana, tab = await chat.enter("ana"), await chat.enter("ana")
    root = await chat.enter("root", "admin")
    await ENDS[end](chat, root)
    await chat.client.settled()
    assert chat.rooms == {"user:ana": 2}
    assert (await ana.write("ana", "still here"))["ok"] is True
    assert [event[1]["mensaje"] for event in await tab.inbox()] == ["still here"]


async def polling_admin(chat: Chat) -> PollingSession:
    session = await chat.client.polling(cookie(token("root", "admin")))
    await session.post("40")
    [joined] = await session.poll()
    assert joined.startswith("40{")
    assert chat.rooms == {"user:root": 1, "admins": 1}
    return session


async def test_a_polling_client_leaves_by_a_packet(chat: Chat) -> None:
    """C-05, E-24, E-35"""
    root = await polling_admin(chat)
    poll = await root.begin_get()
    await root.post("1")
    assert await poll.packets() == ["6"]
    assert chat.rooms == {}


async def test_a_polling_client_leaves_by_41_and_1_in_one_body(chat: Chat) -> None:
    """C-05, S-24"""
    root = await polling_admin(chat)
    await root.post("41\x1e1")
    assert chat.rooms == {}


async def test_a_polling_client_leaves_when_its_poll_breaks_off(chat: Chat) -> None:
    """C-05, E-34"""
    root = await polling_admin(chat)
    poll = await root.begin_get()
    poll.connection.abort()
    await chat.client.settled()
    assert chat.rooms == {}


async def test_a_client_that_answers_no_ping_leaves(db: Path) -> None:
    """C-05, E-21"""
    async with chatting(db, ping_interval="0.3", ping_timeout="0.05") as chat:
        root = await chat.enter("root", "admin")
        assert chat.rooms == {"user:root": 1, "admins": 1}
        assert await root.last_words() == ["2"]
        assert chat.rooms == {}


async def test_a_polling_client_that_does_not_poll_leaves(db: Path) -> None:
    """C-05, E-21"""
    async with chatting(db, ping_interval="0.3", ping_timeout="0.05") as chat:
        await polling_admin(chat)
        bystander = await chat.client.websocket()
        assert await bystander.messages_until_closed() == ["2"]
        assert chat.rooms == {}


async def test_a_session_without_a_connect_is_in_no_room_and_ends(db: Path) -> None:
    """C-05, S-14"""
    async with chatting(db, connect_timeout="0.05") as chat:
        websocket = await chat.client.websocket(cookie(token("ana")))
        assert await websocket.closed() == NO_CODE
        assert [chat.rooms, chat.engine.sessions] == [{}, {}]


async def test_a_client_that_does_not_read_is_closed_and_delays_no_other(db: Path) -> None:
    """C-05, E-27"""
    async with chatting(db, max_queued="65536") as chat:
        root, ana = await chat.enter("root", "admin"), await chat.enter("ana")
        root.websocket.connection._writer.transport.pause_reading()  # type: ignore[attr-defined]
        written = 0
        while "admins" in chat.rooms:
            assert (await ana.write("nobody", "x" * 10_000))["ok"] is True
            written += 10_000
        assert chat.rooms == {"user:ana": 1}
        assert written < 50_000_000  # the kernel's buffers, and a little more


@contextlib.asynccontextmanager
async def _expiring(db: Path) -> AsyncIterator[tuple[Chat, str]]:
    """A chat, and a token that is valid for four more seconds. Claims are whole seconds, the leeway is not."""
    now = time.time()
    exp = int(now)
    async with chatting(db, jwt_leeway=str(now - exp + 4)) as chat:
        yield chat, token("ana", exp=exp)


async def test_an_expiring_token_ends_its_sessions_at_exp(db: Path) -> None:
    """C-09: an event with the reason, then a close that makes the client reconnect."""
    async with _expiring(db) as (chat, text):
        ana, tab, berta = (
            await join(chat.client, cookie(text)),
            await join(chat.client, cookie(text)),
            await chat.enter("berta"),
        )
        assert (await ana.write("berta", "hola"))["ok"] is True
        for person in (ana, tab):
            *_, last = await person.last_words()
            assert json.loads(str(last).removeprefix("42")) == [
                "desconexion",
                {"code": "token_expired", "message": "The token has expired."},
            ]
        assert chat.rooms == {"user:berta": 1}
        assert [event[0] for event in await berta.inbox()] == ["mensaje_recibido"]


async def test_a_reconnect_with_the_expired_cookie_is_refused(db: Path) -> None:
    """C-09: with a fresh cookie it can join again."""
    async with _expiring(db) as (chat, text):
        ana = await join(chat.client, cookie(text))
        await ana.last_words()
        answer, _ = await connect(chat.client, cookie(text))
        assert json.loads(answer.removeprefix("44"))["data"] == {"code": "token_expired"}
        await chat.enter("ana")
        assert chat.rooms == {"user:ana": 1}


async def test_a_polling_client_gets_the_event_of_its_expired_token(db: Path) -> None:
    """C-09, E-35: in the way that makes python-socketio reconnect too"""
    async with _expiring(db) as (chat, text):
        session = await chat.client.polling(cookie(text))
        await session.post("40")
        await session.poll()
        packets = await session.poll()
        assert packets[0].startswith('42["desconexion",')
        assert packets[-1] == "6" or await session.poll() == ["6"]
        assert not await session.is_alive()


async def test_a_token_that_expires_before_the_connect_is_refused(db: Path) -> None:
    """C-02, C-09: the token is checked at CONNECT, not at the handshake."""
    async with _expiring(db) as (chat, text):
        websocket = await chat.client.websocket(cookie(text))
        ana = await join(chat.client, cookie(text))
        await ana.last_words()
        await websocket.send("40")
        answer = await websocket.receive()
        assert json.loads(str(answer).removeprefix("44"))["data"] == {"code": "token_expired"}


async def test_many_disconnects_leave_no_state(chat: Chat) -> None:
    """C-05"""
    people = [await chat.enter(f"user {number % 10}", "admin") for number in range(100)]
    ends = list(ENDS.values())[:8]
    await asyncio.gather(*(ends[number % len(ends)](chat, person) for number, person in enumerate(people)))
    await chat.client.settled()
    assert chat.rooms == {}
    assert chat.namespace.sockets == {}
