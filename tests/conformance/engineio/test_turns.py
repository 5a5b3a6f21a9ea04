"""Fairness: what one client's work in a turn of the loop costs other clients."""

from __future__ import annotations

import asyncio
import collections
import time
from typing import Final

import pytest

from chatd.engineio.limits import Limit
from chatd.engineio.reasons import CloseReason
from chatd.engineio.session import Session
from chatd.engineio.turns import BUDGET, TIMED_BYTES, TURN_S, UNITS_PER_S
from tests.conformance.engineio.engine import Engine, running
from tests.conformance.wire import (
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    TIMEOUT_S,
    Frame,
    frame_bytes,
    joined,
    request_bytes,
    text_frame,
)


class Busy:
    """A handler for which every message takes a whole turn."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.messages: list[str | bytes] = []
        self.begun = asyncio.Event()

    def on_message(self, data: str | bytes) -> None:
        self.messages.append(data)
        self.begun.set()
        self._session.charge(BUDGET)
        end = time.perf_counter() + TURN_S
        while time.perf_counter() < end:
            pass

    def on_close(self, reason: CloseReason) -> None: ...


def make_busy(session: Session) -> Busy:
    busy = session.handler = Busy(session)
    return busy


async def test_a_long_post_does_not_delay_other_clients(engine: Engine) -> None:
    """E-32"""
    websocket, session = await engine.client.websocket(), await engine.client.polling()
    busy = make_busy(engine.session(session.sid))
    posting = asyncio.create_task(session.post(joined(f"4{number}" for number in range(100))))
    await busy.begun.wait()
    await websocket.send("4hello")
    assert await websocket.receive() == "4hello"
    assert len(busy.messages) < 50
    assert (await posting).text == "ok"
    assert busy.messages == [str(number) for number in range(100)]


async def test_a_second_post_during_a_long_one_ends_the_session(engine: Engine) -> None:
    """E-31: the first POST is not answered yet"""
    session = await engine.client.polling()
    busy = make_busy(engine.session(session.sid))
    first = asyncio.create_task(session.post(joined(f"4{number}" for number in range(100))))
    await busy.begun.wait()
    assert (await session.post("4more")).status == 400
    assert not await session.is_alive()
    assert len(busy.messages) < 100
    assert "4more" not in busy.messages
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], EOFError)


async def test_packets_of_a_long_post_are_dropped_when_its_client_disconnects(engine: Engine) -> None:
    """E-34"""
    session = await engine.client.polling()
    busy = make_busy(engine.session(session.sid))
    connection = await engine.client.connect()
    body = joined(f"4{number}" for number in range(100))
    posting = asyncio.create_task(connection.request("POST", session.target(), body=body.encode()))
    await busy.begun.wait()
    connection.abort()
    assert not await session.is_alive()
    assert len(busy.messages) < 100
    assert isinstance((await asyncio.gather(posting, return_exceptions=True))[0], EOFError)


class Counting:
    """A handler that records the turn of the loop of each message."""

    def __init__(self, cost_s: float = 0) -> None:
        self.cost_s = cost_s  # of a message; not charged to a payer
        self.messages: list[str | bytes] = []
        self.turns: collections.Counter[int] = collections.Counter()
        self.whole = asyncio.Event()
        self.closed = asyncio.Event()
        self._turn = 0

    def next_turn(self) -> None:
        self._turn += 1
        asyncio.get_running_loop().call_soon(self.next_turn)

    def on_message(self, data: str | bytes) -> None:
        self.messages.append(data)
        self.turns[self._turn] += 1
        end = time.thread_time() + self.cost_s
        while time.thread_time() < end:
            pass
        if data == "end":
            self.whole.set()

    def on_close(self, reason: CloseReason) -> None:
        self.closed.set()


MANY: Final = [str(number) for number in range(1_000)]


@pytest.mark.parametrize("fragmented", [False, True])
async def test_many_packets_of_one_read_take_several_turns(engine: Engine, fragmented: bool) -> None:
    """L-16: other clients are served in between, and the order is kept"""
    websocket = await engine.client.websocket()
    counting = Counting()
    engine.session(websocket.sid).handler = counting
    counting.next_turn()
    frames = b"".join(_frames(f"4{text}", fragmented) for text in [*MANY, "end"])
    await websocket.send_raw(frames + frame_bytes(PING, b"still there"))
    async with asyncio.timeout(TIMEOUT_S):
        await counting.whole.wait()
    assert counting.messages == [*MANY, "end"]
    assert max(counting.turns.values()) <= BUDGET
    assert await websocket.receive_frame() == Frame(PONG, b"still there")


@pytest.mark.parametrize("end", ["close", "end_writing"])
async def test_all_packets_are_handled_although_the_connection_has_ended(engine: Engine, end: str) -> None:
    """L-16: packets that wait for a later turn are not lost with the connection"""
    websocket = await engine.client.websocket()
    counting = Counting()
    engine.session(websocket.sid).handler = counting
    websocket.connection.write(b"".join(text_frame(f"4{text}") for text in [*MANY, "end"]))
    getattr(websocket.connection, end)()
    async with asyncio.timeout(TIMEOUT_S):
        await counting.whole.wait()
        await counting.closed.wait()
    assert counting.messages == [*MANY, "end"]


@pytest.mark.parametrize("sockets", [1, 20])
async def test_long_messages_are_charged_by_their_duration(engine: Engine, sockets: int) -> None:
    """L-16: even if each connection has credit left from a short message"""
    opened = [await engine.client.websocket() for _ in range(sockets)]
    counting = Counting()
    counting.next_turn()
    for websocket in opened:
        engine.session(websocket.sid).handler = counting
        await websocket.send("4short")
        await websocket.send_raw(frame_bytes(PING, b""))
        assert await websocket.receive_frame() == Frame(PONG, b"")
    counting.turns.clear()
    counting.cost_s = 1.5 * BUDGET / UNITS_PER_S
    burst = b"".join(text_frame(f"4{'x' * TIMED_BYTES}") for _ in range(20 // sockets))
    await asyncio.gather(*(websocket.send_raw(burst + text_frame("4end")) for websocket in opened))
    async with asyncio.timeout(TIMEOUT_S):
        await counting.whole.wait()
    assert max(counting.turns.values()) <= 2, "one address shares a budget"


def _frames(text: str, fragmented: bool) -> bytes:
    if not fragmented:
        return text_frame(text)
    return frame_bytes(TEXT, text[:1].encode(), fin=False) + frame_bytes(CONTINUATION, text[1:].encode())


async def test_a_connection_that_waits_for_its_turn_can_be_closed(engine: Engine) -> None:
    """E-26, L-16: its waiting packets are not handled"""
    websocket = await engine.client.websocket()
    session = engine.session(websocket.sid)

    class Closing(Counting):
        def on_message(self, data: str | bytes) -> None:
            super().on_message(data)
            if len(self.messages) == BUDGET:
                asyncio.get_running_loop().call_soon(session.close, CloseReason.FORCED_CLOSE)

    closing = session.handler = Closing()
    await websocket.send_raw(b"".join(text_frame(f"4{text}") for text in MANY))
    assert await websocket.messages_until_closed() == []
    assert closing.messages == MANY[: len(closing.messages)]
    assert len(closing.messages) < len(MANY)


async def test_a_client_that_disconnects_while_it_waits_leaves_no_state(engine: Engine) -> None:
    """E-26, L-16"""
    websocket = await engine.client.websocket()
    engine.session(websocket.sid).handler = Counting()
    await websocket.send_raw(b"".join(text_frame(f"4{text}") for text in MANY))
    websocket.abort()
    async with asyncio.timeout(TIMEOUT_S):
        while engine.server.sessions:
            await engine.client.settled()


async def test_a_waiting_request_is_answered_although_its_client_has_sent_eof(engine: Engine) -> None:
    """E-16, L-16"""
    websocket = await engine.client.websocket()
    busy = make_busy(engine.session(websocket.sid))
    await websocket.send_raw(b"".join(text_frame("4work") for _ in range(20)))
    await busy.begun.wait()
    waited = engine.server.turns.waits
    ended = await engine.client.connect()
    ended.write(request_bytes("GET", engine.client.target(EIO="4", transport="polling")))
    ended.end_writing()
    assert (await ended.answer()).status == 200
    assert engine.server.turns.waits > waited


class Ending:
    """A handler that closes another session when its own ends."""

    def __init__(self, other: Session) -> None:
        self._other = other

    def on_message(self, data: str | bytes) -> None: ...

    def on_close(self, reason: CloseReason) -> None:
        self._other.close(CloseReason.FORCED_CLOSE)


async def test_a_session_closed_by_another_s_end_gets_its_packets() -> None:
    """E-26, E-27"""
    async with running(max_queued_bytes=65_536) as engine:
        deaf, other = await engine.client.websocket(), await engine.client.websocket()
        session, heard = engine.session(deaf.sid), engine.session(other.sid)
        session.handler = Ending(heard)
        sent: list[str] = []
        while deaf.sid in engine.server.sessions:
            session.send("x" * 50_000)
            heard.send(f"{len(sent)}")
            sent.append(f"4{len(sent)}")
            await asyncio.sleep(0)
        assert await other.messages_until_closed() == sent
        assert engine.server.refusals.counts[Limit.MAX_QUEUED] == 1
