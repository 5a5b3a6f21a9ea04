"""The pace of a replay: that of its client, for every transport and size of messages."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chatd.chat.recovery import recovery
from tests.chat.daemon import Daemon, daemon
from tests.chat.people import Chat, Person, chatting, cookie, token
from tests.conformance.wire import TIMEOUT_S, PollingSession, WebSocket, handshake_headers, request_bytes

# Several times the bound of a client's queue and the buffers of the kernel.
LONG = {"max_message": "200000", "max_queued": "65536", "recovery_limit": "100000"}

READ_BUFFER_BYTES = 16_384


async def narrow(chat: Chat | Daemon, user: str) -> WebSocket:
    """A WebSocket with small kernel buffers."""
    connection = await chat.client.connect(READ_BUFFER_BYTES)
    target = chat.client.target(EIO="4", transport="websocket")
    connection.write(request_bytes("GET", target, {**handshake_headers(), **cookie(token(user))}))
    websocket = WebSocket(connection, await connection.answer())
    assert str(await websocket.receive()).startswith("0{")
    return websocket


async def fill(chat: Chat | Daemon, sizes: list[int]) -> list[str]:
    """Send messages of these sizes to ana; return their texts."""
    root = await chat.enter("root", "admin")
    texts = [f"{number} " + "x" * size for number, size in enumerate(sizes)]
    for text in texts:
        assert (await root.write("ana", text))["ok"] is True
    return texts


def messages(events: list[Any]) -> list[str]:
    return [event[1]["mensaje"] for event in events if event[0] == "mensaje_recibido"]


SIZES = {"small": [50] * 1_000, "large": [60_000] * 150, "mixed": [10, 190_000, 10, 40_000, 10] * 12}


@pytest.mark.parametrize("sizes", SIZES)
async def test_a_replay_waits_for_a_slow_websocket(db: Path, sizes: str) -> None:
    """C-36: the replay fills the queue while the client does not read, and then sends everything."""
    async with chatting(db, **LONG) as chat:
        texts = await fill(chat, SIZES[sizes])
        websocket = await narrow(chat, "ana")
        websocket.connection.stop_reading()
        await websocket.send('40{"desde":"0"}')
        await chat.client.settled()
        other = await chat.enter("eva")
        await other.write("eva", "news")  # other clients do not wait
        assert messages(await other.inbox()) == ["news"]
        websocket.connection.go_on_reading()
        assert str(await websocket.receive()).startswith("40")
        ana = Person(websocket)
        events: list[Any] = []
        while not events or events[-1][0] != "al_dia":
            events.append(await ana.hear())
        assert messages(events) == texts
        assert events[-1][1]["completo"] is True


async def poll_until_up_to_date(session: PollingSession) -> list[Any]:
    events: list[Any] = []
    while not events or events[-1][0] != "al_dia":
        events += [json.loads(packet[2:]) for packet in await session.poll() if packet.startswith("42")]
    return events


@pytest.mark.parametrize("sizes", SIZES)
async def test_a_replay_waits_for_polls(db: Path, sizes: str) -> None:
    """C-36"""
    async with chatting(db, **LONG) as chat:
        texts = await fill(chat, SIZES[sizes])
        session = await chat.client.polling(cookie(token("ana")))
        await session.post('40{"desde":"0"}')
        async with asyncio.timeout(4 * TIMEOUT_S):
            events = await poll_until_up_to_date(session)
        assert messages(events) == texts
        assert events[-1][1]["completo"] is True


async def test_messages_sent_during_a_replay_are_delivered_after_it(db: Path) -> None:
    """C-31: the client's own acknowledgements do not wait."""
    async with chatting(db, **LONG) as chat:
        texts = await fill(chat, SIZES["large"])
        websocket = await narrow(chat, "ana")
        await websocket.send('40{"desde":"0"}')
        assert str(await websocket.receive()).startswith("40")
        ana = Person(websocket)
        asked = await ana.begin("mensaje_privado", {"para": "ana", "mensaje": "a note"})
        root = await chat.enter("root", "admin")
        await root.write("ana", "live")
        events = [await ana.hear() for _ in range(len(texts) + 3)]
        assert sorted(messages(events)[len(texts) :]) == ["a note", "live"]
        assert messages(events)[: len(texts)] == texts
        assert (await ana.answer(asked))["ok"] is True


async def test_a_client_that_does_not_read_its_replay_is_disconnected(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-36"""
    monkeypatch.setattr(recovery, "PATIENCE_S", 0.2)
    async with chatting(db, **LONG) as chat:
        await fill(chat, SIZES["large"])
        session = await chat.client.polling(cookie(token("ana")))
        await session.post('40{"desde":"0"}')
        async with asyncio.timeout(TIMEOUT_S):
            while session.sid in chat.engine.sessions:
                await chat.client.settled()


async def test_a_failed_replay_ends_its_session(db: Path) -> None:
    """C-37: the events before count."""
    async with chatting(db, **LONG) as chat:
        texts = await fill(chat, SIZES["small"])
        session = await chat.client.polling(cookie(token("ana")))
        await session.post('40{"desde":"0"}')
        heard = messages([json.loads(packet[2:]) for packet in await session.poll() if packet.startswith("42")])
        await chat.sqlite("ALTER TABLE mensajes RENAME TO away")
        while (answer := await session.get()).status == 200 and answer.text != "1":
            heard += messages([json.loads(packet[2:]) for packet in answer.packets if packet.startswith("42")])
        assert heard == texts[: len(heard)]
        assert 0 < len(heard) < len(texts)


async def test_a_daemon_stops_in_the_middle_of_replays(db: Path) -> None:
    """C-20: without an error in the log."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in LONG.items()]
    async with daemon(db, *flags, "--recovery=on") as running:
        await fill(running, SIZES["large"])
        for _ in range(3):
            websocket = await narrow(running, "ana")
            websocket.connection.stop_reading()
            await websocket.send('40{"desde":"0"}')
        session = await running.client.polling(cookie(token("ana")))
        await session.post('40{"desde":"0"}')
        running.terminate()
        assert await running.ended() == 0
        assert running.faults == []
