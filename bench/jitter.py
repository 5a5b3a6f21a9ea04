"""Jitter: many subscribers on a bad network, one sender. The figures are the share of messages that arrive, and the
duration of a reconnect.

Every subscriber is an admin behind a proxy that cuts its connection about every 15 s and blocks it for about 2 s;
a user on a good connection sends every 500 ms. The clients are socket.io-client with the settings of its documentation,
the same for all servers. Servers run in turn. "Killed" means SIGKILL in the middle of the run, and an immediate
restart. The sender uses `retries` and a `cid` for all servers, also for those without support of `cid`.

Not part of `all`, for lack of time.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bench import build, machine, outcome
from bench.crowd import Crowd, People, crowd
from bench.load import LoadError
from bench.options import Options
from bench.outages import Network, Outage, Weather, network, now_ms
from bench.peers import PEERS, Command, Launch, Peer
from bench.report import Report
from bench.rig import admin_name, say
from bench.server import Server, running
from bench.tally import Verdict, judge
from bench.tokens import mint

SENDER: Final = "sender"  # clients/jitter.mjs knows this name
PING_INTERVAL_S: Final = 25.0
WEBSOCKET: Final[Mapping[str, Any]] = {"transports": ["websocket"]}

Restart = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run."""

    subscribers: int = 300
    seconds: float = 30.0
    every_ms: int = 500
    weather: Weather = field(default_factory=Weather)

    def words(self) -> str:
        rain = self.weather
        unnoticed = f", {rain.unnoticed:.0%} unnoticed by the server" if rain.unnoticed else ""
        return (
            f"{self.subscribers} subscribers, a message every {self.every_ms} ms for {self.seconds:g} s, "
            f"each cut off every {rain.cut_every_s:g} s for {rain.away_s:g} s, +-50 %, seed {rain.seed}{unnoticed}"
        )


@dataclass(frozen=True, slots=True)
class Variant:
    """A server with some settings, and whether it is killed in the middle of the run."""

    name: str
    peer: str
    settings: Mapping[str, str]
    killed: bool = False

    def as_peer(self) -> Peer:
        base = PEERS[self.peer]

        def command(launch: Launch) -> Command:
            usual = base.command(launch)
            return Command(usual.argv, usual.env | dict(self.settings))

        return dataclasses.replace(base, name=self.name, command=command)


VARIANTS: Final = (
    Variant("chatd", "chatd", {"CHATD_RECOVERY": "on"}),
    Variant("chatd, killed", "chatd", {"CHATD_RECOVERY": "on", "CHATD_DELIVER": "stored"}, killed=True),
    Variant("node, recovery", "node", {"RECOVERY": "on"}),
    Variant("node, recovery, killed", "node", {"RECOVERY": "on"}, killed=True),
    Variant("node", "node", {}),
)


async def play(plan: Plan, clients: Crowd, between: Network, people: People, restart: Restart | None = None) -> Verdict:
    """One run with the server behind the network `between`; it is killed in the middle if there is a `restart`."""
    await clients.open(between.port, between.target, people)
    await clients.start(admin_name(0), plan.every_ms)
    _, kill = await asyncio.gather(
        between.storm(plan.weather, plan.seconds), _kill_in_the_middle(plan.seconds, restart)
    )
    await clients.stop()
    await clients.last(admin_name(0))
    heardings = await clients.report()
    if heardings.refused:
        raise LoadError(f"the server refused messages: {heardings.refused[:3]}")
    return judge(heardings, between.traces, kill)


async def _kill_in_the_middle(seconds: float, restart: Restart | None) -> Outage | None:
    if restart is None:
        return None
    await asyncio.sleep(seconds / 2)
    killed = now_ms()
    await restart()
    return Outage(killed, now_ms())


def _people(subscribers: int) -> People:
    admins = [mint(admin_name(number), "admin") for number in range(subscribers)]
    return People(mint(SENDER, "user"), admins, WEBSOCKET)


async def _measured(variant: Variant, plan: Plan, server: Server) -> Verdict:
    async def restart() -> None:
        await asyncio.to_thread(server.restart)

    async with (
        crowd(build.node_program(), build.PEERS) as clients,
        network(server.port, plan.subscribers) as between,
    ):
        return await play(plan, clients, between, _people(plan.subscribers), restart if variant.killed else None)


def run(options: Options) -> None:
    plan = _plan(options)
    variants = [variant for variant in VARIANTS if variant.peer in options.servers(("chatd", "node"))]
    report = Report("jitter", tuple(dict.fromkeys(variant.peer for variant in variants)), options.folder)
    build.node_modules()
    verdicts: dict[str, Verdict] = {}
    print(f"jitter: {plan.words()}", flush=True)
    report.text.append(plan.words())
    for variant in variants:
        say(f"jitter {variant.name}")
        cores = machine.cores()
        with running(variant.as_peer(), cores.server, PING_INTERVAL_S) as server, machine.pinned(cores.load):
            verdicts[variant.name] = asyncio.run(_measured(variant, plan, server))
            server.check()
        case = {**asdict(plan), "killed": variant.killed}
        report.add(variant.name, case, outcome.figures(verdicts[variant.name]))
    outcome.tables(report, verdicts)
    outcome.charts(report, verdicts, plan.words())
    report.write()


def _plan(options: Options) -> Plan:
    usual, rain = Plan(), Weather()
    return Plan(
        subscribers=options.subscribers or usual.subscribers,
        seconds=options.seconds or usual.seconds,
        every_ms=options.every_ms or usual.every_ms,
        weather=Weather(
            cut_every_s=options.cut_every_s or rain.cut_every_s,
            away_s=options.away_s or rain.away_s,
            unnoticed=options.unnoticed,
            seed=options.seed,
        ),
    )
