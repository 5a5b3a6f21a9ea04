"""Fairness: honest clients beside one attacker. The figures are the effect on the honest clients.

Users and admins send messages to each other in pairs, newcomers open a WebSocket and join, a supervisor requests
`/healthz`; first alone, then during a flood, which comes from another address. Each flood has a fresh server with the
default limits. A row that misses a goal (verdict.py) names it; a message that chatd loses fails the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from bench import build, machine
from bench.fairness import outcome, people, verdict, watch
from bench.fairness.flooder import READY_TIMEOUT_S, Done, Order
from bench.fairness.floods import FLOODS, SHORT, Flood, chosen
from bench.fairness.outcome import Row
from bench.fairness.servers import Stand, stand
from bench.fairness.verdict import Phase
from bench.load import LoadError
from bench.options import Options
from bench.report import Report
from bench.rig import say

SERVERS: Final = ("chatd", "node")
SECONDS: Final = 3.0
SHORT_SECONDS: Final = 1.5
WARM_S: Final = 0.5
HONEST: Final = "127.0.0.2"  # the address of the honest clients
ATTACKER: Final = "127.0.0.3"
DRAIN_S: Final = 30.0  # for the last messages, once the flood is over
START_TIMEOUT_S: Final = 20.0  # of the flood's process


def run(options: Options) -> None:
    """All floods, or the named ones."""
    floods = options.floods or tuple(FLOODS.values())
    report = Report("fairness", options.servers(SERVERS), options.folder)
    measure(report, floods, options.seconds or SECONDS, options.rounds)


def run_short(options: Options) -> None:
    """One flood of each kind; the results of a full run are kept."""
    report = Report("fairness-short", options.servers(SERVERS), options.folder)
    measure(report, chosen(SHORT), options.seconds or SHORT_SECONDS, 1)


def measure(report: Report, floods: Sequence[Flood], seconds: float, rounds: int) -> None:
    rows = []
    for flood in floods:
        for server in report.servers:
            if server == "chatd" or flood.node:
                row = _best(server, flood, seconds, rounds if server == "chatd" else 1)
                report.add(server, row.case(), row.figures())
                rows.append(row)
    outcome.table(report, rows)
    outcome.chart(report, rows)
    report.write()
    lost = outcome.lost_by("chatd", rows)
    if lost:
        raise LoadError("\n".join(lost))


def _best(server: str, flood: Flood, seconds: float, rounds: int) -> Row:
    """The first of `rounds` that reaches all goals, or the last. Each is longer than the one before.

    One slow sync of the disk in a few seconds is enough to miss a goal. Under a high write load, a checkpoint of SQLite
    happens about every three seconds: only a longer round has one in both of its phases.
    """
    row = one(server, flood, seconds, 1)
    for number in range(2, rounds + 1):
        if not row.missed or row.beside.lost:
            break
        row = one(server, flood, number * seconds, number)
    return row


def one(server: str, flood: Flood, seconds: float, number: int) -> Row:
    """A fresh server, first with the honest clients alone, then during the flood."""
    say(f"fairness {flood.name}, {server}, round {number}")
    with stand(server, flood) as place, machine.pinned(machine.cores().load):
        try:
            alone, beside, done = asyncio.run(_both(place, flood, seconds))
        except watch.GONE as error:
            raise LoadError(f"{server}, {flood.name}: {error!r}") from error
        finally:
            place.server.check()
    return Row(flood, server, alone, beside, done, verdict.missed(alone, beside), number)


async def _both(place: Stand, flood: Flood, seconds: float) -> tuple[Phase, Phase, Done]:
    pairs = await people.couples(place.server.port, HONEST, place.signer.mint)
    await _phase(place, pairs, WARM_S)
    alone = await _phase(place, pairs, seconds)
    async with _flooder(place, flood, seconds) as flooding:
        beside = await _phase(place, pairs, seconds)
        done = msgspec.json.decode(await _line(flooding, seconds + START_TIMEOUT_S), type=Done)
    for person in (person for pair in pairs for person in pair):
        person.leave()
    return alone, beside, done


async def _phase(place: Stand, pairs: people.Couples, seconds: float) -> Phase:
    names = [f"new{number}" for number in range(watch.newcomers_in(seconds))]
    tokens = [(name, place.signer.mint(name, "user")) for name in names]
    seen = watch.Seen()
    async with asyncio.TaskGroup() as group:
        talk = group.create_task(people.talk(pairs, seconds))
        group.create_task(watch.health(seen, place.health_port, seconds))
        group.create_task(watch.newcomers(seen, place.server.port, HONEST, tokens))
    post = talk.result()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            await post.complete.wait()
    return verdict.phase(post, seen)


@contextlib.asynccontextmanager
async def _flooder(place: Stand, flood: Flood, seconds: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process of the flood, once it has started."""
    junk = place.signer.junk() if flood.key else ()
    token = place.signer.mint(flood.user, flood.rol)
    order = Order(flood.name, place.server.port, ATTACKER, token, junk, seconds)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.fairness.flooder"),
        cwd=build.HERE.parent,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        await _line(process, READY_TIMEOUT_S + START_TIMEOUT_S)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _line(process: asyncio.subprocess.Process, seconds: float) -> bytes:
    """The next line of the flood. Raises LoadError after a timeout, or when the process has ended."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            line = await process.stdout.readline()
    except TimeoutError:
        raise LoadError("the flood fell silent") from None
    if not line:
        raise LoadError("the flood died")
    return line
