"""Stopping the daemon, a process with real signals: no acknowledged message is lost, and clients reconnect."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
from collections import deque
from pathlib import Path

import pytest

from chatd.daemon.signals import EXIT_AT_ONCE
from chatd.daemon.stopping import EXIT_UNFINISHED
from tests.chat.daemon import Daemon, daemon
from tests.chat.people import Person, cookie, token
from tests.conformance.wire import NO_FRAME, ClosedError
from tests.store.rig import locked, rows


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_daemon_stops_at_once(db: Path, number: signal.Signals) -> None:
    """C-20"""
    async with daemon(db) as chatd:
        chatd.process.send_signal(number)
        assert await chatd.ended() == 0
        assert [line["message"] for line in chatd.log][-2:] == ["stopping", "stopped"]
        assert chatd.faults == []


async def test_clients_are_closed_so_that_they_reconnect(db: Path) -> None:
    """C-20, E-35, E-50: the WebSocket closes without a DISCONNECT, the poll gets a NOOP, then the port is closed."""
    async with daemon(db) as chatd:
        ana = await chatd.enter("ana")
        session = await chatd.client.polling(cookie(token("root", "admin")))
        await session.post("40")
        await session.poll()
        poll = await session.begin_get()
        chatd.terminate()
        assert await ana.websocket.closed() == NO_FRAME
        ana.websocket.close()
        assert await poll.packets() == ["6"]
        poll.connection.close()
        assert await chatd.ended() == 0
        with pytest.raises(ConnectionRefusedError):
            await chatd.client.polling()


async def flood(sender: Person, name: str, under_way: asyncio.Event) -> list[str]:
    """Keep 20 unacknowledged messages until the session ends; return the acknowledged ids."""
    asked: deque[int] = deque()
    stored: list[str] = []
    with contextlib.suppress(ClosedError):
        while True:
            asked.append(await sender.begin("mensaje_privado", {"para": "root", "mensaje": f"to root from {name}"}))
            if len(asked) > 20:
                stored.append((await sender.answer(asked.popleft()))["id"])
                under_way.set()
    sender.websocket.close()
    return stored


async def test_a_stop_under_load_loses_no_acknowledged_message(db: Path) -> None:
    """C-15, C-20; all clients are disconnected at once, so that root gets every message."""
    async with daemon(db, "--stop-rate", "0") as chatd:
        root = await chatd.enter("root", "admin")
        senders = [await chatd.enter(f"user {number}") for number in range(8)]
        under_way = asyncio.Event()
        floods = [asyncio.create_task(flood(one, str(number), under_way)) for number, one in enumerate(senders)]
        await under_way.wait()
        chatd.terminate()
        stored = [message_id for ids in await asyncio.gather(*floods) for message_id in ids]
        delivered = [message for message in await root.last_words() if str(message).startswith("42")]
        root.websocket.close()
        assert await chatd.ended() == 0
        assert chatd.faults == []
    found = [str(row.id) for row in rows(db)]
    assert len(stored) == len(set(stored)) > 0
    assert set(stored) <= set(found)
    assert len(found) == len(delivered)


async def test_messages_before_the_signal_are_stored_and_acknowledged(db: Path) -> None:
    """C-20"""
    async with daemon(db, "--busy-timeout", "30") as chatd:
        ana = await chatd.enter("ana")
        with locked(db):
            asked = [
                await ana.begin("mensaje_privado", {"para": "root", "mensaje": str(number)}) for number in range(50)
            ]
            assert await ana.inbox() == []  # the daemon has read all messages
            chatd.terminate()
            await chatd.logged("stopping")
        answers = [await ana.answer(ack_id) for ack_id in asked]
        assert all(answer["ok"] for answer in answers)
        assert await ana.websocket.closed() == NO_FRAME
        ana.websocket.close()
        assert await chatd.ended() == 0
    assert [str(row.id) for row in rows(db)] == [answer["id"] for answer in answers]


async def _blocked(chatd: Daemon) -> None:
    """A message waits for the disk, and the stop waits for the message."""
    ana = await chatd.enter("ana")
    await ana.emit("mensaje_privado", {"para": "root", "mensaje": "hola"})
    assert await ana.inbox() == []
    chatd.terminate()
    await chatd.logged("stopping")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(db: Path, second: signal.Signals) -> None:
    """C-20"""
    async with daemon(db, "--busy-timeout", "60", "--stop-timeout", "60") as chatd:
        with locked(db):
            await _blocked(chatd)
            chatd.process.send_signal(second)
            assert await chatd.ended() == EXIT_AT_ONCE
    async with daemon(db) as again:
        assert (await (await again.enter("ana")).write("root", "hola"))["ok"] is True


async def test_a_stop_that_takes_too_long_ends_at_its_deadline(db: Path) -> None:
    """C-20: whatever the disk does; no message is acknowledged."""
    async with daemon(db, "--busy-timeout", "60", "--stop-timeout", "0.2") as chatd:
        with locked(db):
            await _blocked(chatd)
            assert await chatd.ended() == EXIT_UNFINISHED
        assert [line["message"] for line in chatd.faults] == [
            "the stop took too long; connections were cut",
            "messages were not stored, and none of them acknowledged",
        ]


async def test_a_client_that_does_not_answer_the_close_is_aborted(db: Path) -> None:
    """C-20, E-29"""
    async with daemon(db) as chatd:
        ana = await chatd.enter("ana")
        chatd.terminate()
        assert await chatd.ended() == 0
        assert await ana.last_words() == []


async def test_writes_over_a_file_size_limit_are_refused_and_succeed_afterwards(db: Path) -> None:
    """C-17: RLIMIT_FSIZE, like a quota."""
    async with daemon(db) as chatd:
        ana = await chatd.enter("ana")
        assert (await ana.write("root", "before"))["ok"] is True
        _, hard = resource.prlimit(chatd.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(chatd.process.pid, resource.RLIMIT_FSIZE, (1, hard))
        for _ in range(2):
            refused = await ana.write("root", "within")
            assert refused["error"]["code"] == "store_unavailable"
        resource.prlimit(chatd.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert (await ana.write("root", "after"))["ok"] is True
        chatd.terminate()
        ana.websocket.close()
        assert await chatd.ended() == 0
        assert [line["message"] for line in chatd.faults] == ["messages cannot be stored"]
    assert [row.mensaje for row in rows(db)] == ["before", "after"]
