"""The end of a turn, on a real loop with a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from chatd.base.loop import TurnLoop, at_turn_end

LONG_S = 5.0  # longer than a test may take


def running(main: Callable[[TurnLoop], Awaitable[None]]) -> None:
    async def limited() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, TurnLoop)
        loop.call_later(2 * LONG_S, print)  # what the loop would wait for
        async with asyncio.timeout(LONG_S):
            await main(loop)

    with asyncio.Runner(loop_factory=TurnLoop) as runner:
        runner.run(limited())


def test_the_end_of_a_turn_comes_before_the_next_turn() -> None:
    async def main(loop: TurnLoop) -> None:
        seen: list[str] = []
        done = asyncio.Event()

        def read() -> None:
            ours.recv(1)
            loop.call_soon(seen.append, "next turn")
            loop.at_turn_end(lambda: seen.append("end"))
            loop.call_soon(done.set)
            seen.append("read")

        ours, theirs = socket.socketpair()
        with ours, theirs:
            loop.add_reader(ours, read)
            theirs.send(b"x")
            await done.wait()
            loop.remove_reader(ours)
        assert seen == ["read", "end", "next turn"]

    running(main)


@pytest.mark.parametrize("schedule", ["call_soon", "call_later", "at_turn_end"])
def test_what_the_end_of_a_turn_schedules_does_not_wait_for_an_event(schedule: str) -> None:
    async def main(loop: TurnLoop) -> None:
        done = asyncio.Event()
        late: Callable[[], object] = {
            "call_soon": lambda: loop.call_soon(done.set),
            "call_later": lambda: loop.call_later(0.001, done.set),
            "at_turn_end": lambda: loop.at_turn_end(lambda: loop.call_soon(done.set)),
        }[schedule]
        loop.at_turn_end(late)
        await done.wait()

    running(main)


def test_a_callback_that_fails_is_logged_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def main(loop: TurnLoop) -> None:
        done = asyncio.Event()
        loop.at_turn_end(lambda: 1 // 0)
        loop.at_turn_end(done.set)
        await done.wait()

    running(main)
    assert "ZeroDivisionError" in caplog.text


def test_another_loop_ends_a_turn_in_its_next() -> None:
    async def main() -> None:
        done = asyncio.Event()
        at_turn_end(asyncio.get_running_loop())(done.set)
        async with asyncio.timeout(LONG_S):
            await done.wait()

    asyncio.run(main())
