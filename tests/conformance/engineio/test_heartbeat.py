"""The heartbeat over real sockets: rows E36 to E39. Its rules have unit tests in tests/engineio/test_session.py."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from chatd.base.timers import TICK_S
from chatd.engineio.reasons import CloseReason
from tests.conformance.engineio.engine import Engine, running
from tests.conformance.idle_loop import run_in_loop_time
from tests.conformance.wire import NO_FRAME, WebSocket

INTERVAL_S, TIMEOUT_S = 0.3, 0.2


def in_loop_time(test: Callable[[Engine], Awaitable[None]]) -> Callable[[], None]:
    """Run `test` with a server of its own, on a loop whose clock does not depend on the machine."""

    async def play() -> None:
        async with running(ping_interval_s=INTERVAL_S, ping_timeout_s=TIMEOUT_S) as engine:
            await test(engine)

    def run() -> None:
        run_in_loop_time(play())

    run.__doc__ = test.__doc__
    return run


class Watch:
    """Seconds since the start of the handshake."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()

    def assert_at(self, seconds: float) -> None:
        passed = self._loop.time() - self._start
        assert seconds <= passed <= seconds + TICK_S

    def restart(self) -> None:
        self._start = self._loop.time()


async def opened(engine: Engine) -> tuple[WebSocket, Watch]:
    watch = Watch()
    return await engine.client.websocket(), watch


@in_loop_time
async def test_a_silent_websocket(engine: Engine) -> None:
    """E-21; E36"""
    websocket, watch = await opened(engine)
    assert await websocket.receive() == "2"
    watch.assert_at(0.3)
    assert await websocket.closed() == NO_FRAME
    watch.assert_at(0.5)
    assert await engine.peer(websocket.sid).end() is CloseReason.PING_TIMEOUT


@in_loop_time
async def test_a_silent_poll(engine: Engine) -> None:
    """E-21; E36"""
    watch = Watch()
    session = await engine.client.polling()
    assert await session.poll() == ["2"]
    watch.assert_at(0.3)
    assert await session.poll() == ["1"]
    watch.assert_at(0.5)
    assert not await session.is_alive()


@in_loop_time
async def test_a_session_that_never_polls(engine: Engine) -> None:
    """E-21; Section 1.7, and the protocol's own suite"""
    watch = Watch()
    session = await engine.client.polling()
    assert await engine.peer(session.sid).end() is CloseReason.PING_TIMEOUT
    watch.assert_at(0.5)
    assert not await session.is_alive()


@in_loop_time
async def test_data_instead_of_a_pong(engine: Engine) -> None:
    """E-23; E37"""
    websocket, watch = await opened(engine)
    assert await websocket.receive() == "2"
    await websocket.send("4x")
    assert await websocket.receive() == "4x"
    watch.restart()
    await websocket.send("4x")
    assert await websocket.receive() == "4x"
    assert await websocket.closed() == NO_FRAME
    watch.assert_at(0.2)


@in_loop_time
async def test_the_interval_counts_from_the_pong(engine: Engine) -> None:
    """E-21; E38"""
    websocket, watch = await opened(engine)
    for _ in range(3):
        assert await websocket.receive() == "2"
        watch.assert_at(0.3)
        watch.restart()
        await websocket.send("3")
    assert not engine.peer(websocket.sid).messages


@in_loop_time
async def test_unsolicited_pongs(engine: Engine) -> None:
    """E-22; E39, CVE-2026-48802"""
    websocket, watch = await opened(engine)
    tasks = len(asyncio.all_tasks())
    for _ in range(1_000):
        await websocket.send("3")
    await engine.client.settled()
    assert len(asyncio.all_tasks()) == tasks
    assert await websocket.receive() == "2"
    watch.assert_at(0.3)
    assert await websocket.closed() == NO_FRAME
    watch.assert_at(0.5)


@in_loop_time
async def test_a_polling_session_with_pongs_stays_open(engine: Engine) -> None:
    """E-21; The protocol's own suite"""
    session = await engine.client.polling()
    for _ in range(3):
        assert await session.poll() == ["2"]
        assert (await session.post("3")).text == "ok"
    assert await session.is_alive()


@in_loop_time
async def test_the_heartbeat_continues_over_an_upgrade(engine: Engine) -> None:
    """E-21, E-42; Section 1.7"""
    session = await engine.client.polling()
    assert await session.poll() == ["2"]
    websocket = await session.upgrade()
    await websocket.send("2probe")
    assert await websocket.receive() == "3probe"
    await websocket.send("5")
    await websocket.send("3")
    watch = Watch()
    assert await websocket.receive() == "2"
    watch.assert_at(0.3)
    assert await websocket.closed() == NO_FRAME
