"""How clients are sent away at a stop, and what those write whose turn has not come yet."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.daemon.app import EXIT_AT_ONCE
from chatd.listen.config import ListenConfig
from tests.chat.daemon import daemon
from tests.chat.people import Person, cookie, token
from tests.conformance.wire import NO_FRAME
from tests.store.rig import locked, rows

NEW = {"EIO": "4", "transport": "polling"}


async def sent_away(person: Person) -> float:
    """Wait for the goodbye, which must be the one that brings clients back; when it came."""
    assert await person.websocket.closed() == NO_FRAME
    person.websocket.close()
    return time.monotonic()


async def test_clients_are_sent_away_a_few_at_a_time_the_oldest_first(db: Path) -> None:
    """L-08"""
    async with daemon(db, "--stop-rate", "40") as chatd:
        people = [await chatd.enter(f"user {number}") for number in range(21)]
        chatd.terminate()
        told = await asyncio.gather(*map(sent_away, people))
        assert told == sorted(told)
        assert told[-1] - told[0] > 0.9 * 20 / 40
        assert await chatd.ended() == 0
        assert chatd.faults == []


async def test_a_rate_that_does_not_fit_into_the_time_is_exceeded(db: Path) -> None:
    """L-08: who is cut does not know whether to come back."""
    async with daemon(db, "--stop-rate", "0.1", "--stop-timeout", "2") as chatd:
        people = [await chatd.enter(f"user {number}") for number in range(10)]
        chatd.terminate()
        await asyncio.gather(*map(sent_away, people))
        assert await chatd.ended() == 0
        assert chatd.faults == []


async def test_whose_turn_has_not_come_goes_on_writing(db: Path) -> None:
    """C-20, L-08"""
    async with daemon(db, "--stop-rate", "2") as chatd:
        ana, eva = await chatd.enter("ana"), await chatd.enter("eva")
        chatd.terminate()
        await sent_away(ana)
        stored = await eva.write("root", "before my turn")
        assert stored["ok"] is True
        await sent_away(eva)
        assert await chatd.ended() == 0
    assert [str(row.id) for row in rows(db)] == [stored["id"]]


async def test_what_was_read_before_the_goodbye_is_stored_after_it(db: Path) -> None:
    """C-20, L-08: eva is sent away while her message waits for the disk."""
    async with daemon(db, "--stop-rate", "2", "--busy-timeout", "30") as chatd:
        ana, eva = await chatd.enter("ana"), await chatd.enter("eva")
        chatd.terminate()
        await sent_away(ana)
        with locked(db):
            await eva.begin("mensaje_privado", {"para": "root", "mensaje": "my last words"})
            await sent_away(eva)
        assert await chatd.ended() == 0
        assert chatd.faults == []
    assert [row.mensaje for row in rows(db)] == ["my last words"]


async def test_nobody_new_comes_in_by_a_connection_that_is_open_already(db: Path) -> None:
    """L-08"""
    async with daemon(db, "--stop-rate", "2") as chatd:
        kept_alive = await chatd.client.connect()
        session = await chatd.client.polling(cookie(token("ana")))
        await session.post("40")
        await kept_alive.request("GET", "/elsewhere")
        people = [await chatd.enter(user) for user in ("berta", "eva")]
        chatd.terminate()
        await chatd.logged("stopping")
        await sent_away(people[0])  # a turn after the polling session's
        refused = await kept_alive.request("GET", chatd.client.target(**NEW))
        assert (refused.status, refused.json()["code"], refused.header("retry-after")) == (503, 6, "5")
        assert refused.json()["detail"].startswith("stopping: ")
        assert await kept_alive.rest() == b""
        await sent_away(people[1])
        assert await chatd.ended() == 0


async def test_a_load_balancer_has_time_to_notice(db: Path) -> None:
    """L-08: not ready any more, and served all the same."""
    async with daemon(db, "--stop-delay", "0.5") as chatd:
        chatd.terminate()
        await chatd.logged("stopping")
        ana = await chatd.enter("ana")
        assert (await ana.write("root", "hola"))["ok"] is True
        await sent_away(ana)
        assert await chatd.ended() == 0


async def test_a_second_signal_does_not_wait_for_anybody_s_turn(db: Path) -> None:
    """C-20"""
    async with daemon(db, "--stop-rate", "0.5", "--stop-timeout", "60") as chatd:
        ana, _ = await chatd.enter("ana"), await chatd.enter("eva")
        chatd.terminate()
        await sent_away(ana)
        chatd.process.send_signal(signal.SIGINT)
        assert await chatd.ended() == EXIT_AT_ONCE


def test_a_delay_longer_than_the_stop_is_refused() -> None:
    with pytest.raises(ConfigError, match="leave no time to stop in: stop_timeout is 30"):
        ListenConfig(stop_delay_s=30.0)
