"""A flood as a process of its own: `python -m bench.fairness.flooder`, with an `Order` on stdin.

Prints `{"ready": N}` once every socket is open, or after some seconds; then its time starts. At its end,
or at the end of stdin, it prints what it has done. It has a lower priority than the honest clients, with which it
shares a core: it must slow the server, and not them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from typing import Any, Final

import msgspec

from bench import machine
from bench.fairness.floods import FLOODS, Flood, offset
from bench.fairness.line import EndedError
from bench.fairness.visits import Count, Field

READY_TIMEOUT_S: Final = 5.0
NICE: Final = 19
AGAIN_S: Final = 0.01  # after a refusal
GONE: Final = (OSError, EndedError, TimeoutError)


class Order(msgspec.Struct, frozen=True):
    """The order: which flood, the server, the source address, the tokens, and the duration."""

    flood: str
    port: int
    source: str
    token: str
    junk: tuple[str, ...]
    seconds: float


class Done(msgspec.Struct, frozen=True):
    """Counts since the start: opened sockets, visits that the server ended, sent bytes, CPU time of this process."""

    seconds: float
    opened: int
    ended: int
    rounds: int
    sent_bytes: int
    cpu_s: float

    @property
    def megabytes_per_s(self) -> float:
        return self.sent_bytes / self.seconds / 1e6


async def _slot(flood: Flood, at: Field) -> None:
    """One socket: visit after visit."""
    while at.open:
        before = at.count.opened
        try:
            await flood.visit(at)
        except GONE:
            at.count.ended += 1
            if at.count.opened == before:
                await asyncio.sleep(AGAIN_S)
        finally:
            await at.drop_all()


async def run(order: Order, flood: Flood, stopped: asyncio.Future[Any]) -> Done:
    """Run the flood; `stopped` ends it early."""
    begin, cpu_s = time.monotonic(), time.process_time()
    count = Count(begin + READY_TIMEOUT_S + order.seconds, flood.sockets)
    fields = [Field(order.port, order.source, order.token, order.junk, offset(), count) for _ in range(flood.sockets)]
    slots = [asyncio.create_task(_slot(flood, at)) for at in fields]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_TIMEOUT_S):
            await count.all_open.wait()
    say({"ready": count.opened})
    await asyncio.wait({stopped}, timeout=order.seconds)
    count.end = time.monotonic()
    done = Done(
        seconds=count.end - begin,
        opened=count.opened,
        ended=count.ended,
        rounds=count.rounds,
        sent_bytes=count.sent_bytes,
        cpu_s=time.process_time() - cpu_s,
    )
    for task in slots:
        task.cancel()
    await asyncio.wait(slots)
    return done


async def _told() -> Done:
    """Run the order on stdin."""
    order = msgspec.json.decode(sys.stdin.readline(), type=Order)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    stopped = asyncio.create_task(reader.read())
    try:
        return await run(order, FLOODS[order.flood], stopped)
    finally:
        stopped.cancel()


def say(what: Any) -> None:
    print(msgspec.json.encode(what).decode(), flush=True)


def main() -> None:
    os.nice(NICE)
    machine.allow_many_files()
    say(asyncio.run(_told()))


if __name__ == "__main__":
    main()
