"""The order in which a stop disconnects clients, and messages of clients that are still connected."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.daemon.signals import EXIT_AT_ONCE
from chatd.listen.config import ListenConfig
from tests.chat.daemon import daemon
from tests.chat.people import Person, cookie, token
from tests.conformance.wire import NO_FRAME
from tests.store.rig import locked, rows

NEW = {"EIO": "4", "transport": "polling"}


async def disconnected(person: Person) -> float:
    """Wait for the close that makes clients reconnect; return its time."""
    assert await person.websocket.closed() == NO_FRAME
    person.websocket.close()
    return time.monotonic()


async def test_clients_are_disconnected_a_few_at_a_time_oldest_first(db: Path) -> None:
    """L-08"""
    async with daemon(db, "--stop-rate", "40") as chatd:
        people = [await chatd.enter(f"user {number}") for number in range(21)]
        chatd.terminate()
        told = await asyncio.gather(*map(disconnected, people))
        assert told == sorted(told)
        assert told[-1] - told[0] > 0.9 * 20 / 40
        assert await chatd.ended() == 0
        assert chatd.faults == []


async def test_the_stop_rate_is_exceeded_if_the_timeout_is_too_short(db: Path) -> None:
    """L-08: an aborted client would not know whether to reconnect."""
    async with daemon(db, "--stop-rate", "0.1", "--stop-timeout", "2") as chatd:
        people = [await chatd.enter(f"user {number}") for number in range(10)]
        chatd.terminate()
        await asyncio.gather(*map(disconnected, people))
        assert await chatd.ended() == 0
        assert chatd.faults == []


async def test_clients_that_are_still_connected_can_send_during_a_stop(db: Path) -> None:
    """C-20, L-08"""
    async with daemon(db, "--stop-rate", "2") as chatd:
        ana, eva = await chatd.enter("ana"), await chatd.enter("eva")
        chatd.terminate()
        await disconnected(ana)
        stored = await eva.write("root", "before my turn")
        assert stored["ok"] is True
        await disconnected(eva)
        assert await chatd.ended() == 0
    assert [str(row.id) for row in rows(db)] == [stored["id"]]


async def test_messages_read_before_the_disconnect_are_stored_after_it(db: Path) -> None:
    """C-20, L-08: eva is disconnected while her message waits for the disk."""
    async with daemon(db, "--stop-rate", "2", "--busy-timeout", "30") as chatd:
        ana, eva = await chatd.enter("ana"), await chatd.enter("eva")
        chatd.terminate()
        await disconnected(ana)
        with locked(db):
            await eva.begin("mensaje_privado", {"para": "root", "mensaje": "my last words"})
            await disconnected(eva)
        assert await chatd.ended() == 0
        assert chatd.faults == []
    assert [row.mensaje for row in rows(db)] == ["my last words"]


async def test_during_a_stop_open_connections_create_no_new_sessions(db: Path) -> None:
    """L-08"""
    async with daemon(db, "--stop-rate", "2") as chatd:
        kept_alive = await chatd.client.connect()
        session = await chatd.client.polling(cookie(token("ana")))
        await session.post("40")
        await kept_alive.request("GET", "/elsewhere")
        people = [await chatd.enter(user) for user in ("berta", "eva")]
        chatd.terminate()
        await chatd.logged("stopping")
        await disconnected(people[0])  # one turn after the polling session
        refused = await kept_alive.request("GET", chatd.client.target(**NEW))
        assert (refused.status, refused.json()["code"], refused.header("retry-after")) == (503, 6, "5")
        assert refused.json()["detail"].startswith("stopping: ")
        assert await kept_alive.rest() == b""
        await disconnected(people[1])
        assert await chatd.ended() == 0


async def test_the_stop_delay_gives_load_balancers_time(db: Path) -> None:
    """L-08: /readyz answers 503, and clients are still served."""
    async with daemon(db, "--stop-delay", "0.5") as chatd:
        chatd.terminate()
        await chatd.logged("stopping")
        ana = await chatd.enter("ana")
        assert (await ana.write("root", "hola"))["ok"] is True
        await disconnected(ana)
        assert await chatd.ended() == 0


async def test_a_second_signal_ends_the_stop_at_once(db: Path) -> None:
    """C-20"""
    async with daemon(db, "--stop-rate", "0.5", "--stop-timeout", "60") as chatd:
        ana, _ = await chatd.enter("ana"), await chatd.enter("eva")
        chatd.terminate()
        await disconnected(ana)
        chatd.process.send_signal(signal.SIGINT)
        assert await chatd.ended() == EXIT_AT_ONCE


def test_a_delay_longer_than_the_stop_is_refused() -> None:
    with pytest.raises(ConfigError, match="leave no time to stop in: stop_timeout is 30"):
        ListenConfig(stop_delay_s=30.0)
