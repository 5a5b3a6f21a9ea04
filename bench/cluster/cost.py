"""CPU without faults: of each node, for a delivery and for a message, from the kernel's process clocks.

The sender is on the first node, the admins on both, or all on a single node. `fanout`: 1,000 admins, one or eight
messages in flight. `relay`: one admin on each node, a hundred messages in flight, so that each node has one delivery a
message: the CPU of the second node is the cost of a remote message. Redis and the generator are on the other core.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import machine
from bench.cluster.sites import ALONE, Setup, Site, site
from bench.load import ADMINS, SENDER, Load, Workload
from bench.ports import free_port
from bench.rig import People, admin_name, user_name
from bench.server import LONG_PING_S
from tests.cluster.redis.server import RedisServer

NODES: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    recipients: int
    in_flight: int

    def workload(self, seconds: float) -> Workload:
        return Workload(para=admin_name(0), de=user_name(0), in_flight=self.in_flight, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Cost:
    """The CPU of one run; `cpu_s` by node."""

    messages: int
    deliveries: int
    cpu_s: tuple[float, ...]

    @property
    def us_per_delivery(self) -> float:
        """All nodes together."""
        return sum(self.cpu_s) / max(1, self.deliveries) * 1e6

    @property
    def us_per_message(self) -> list[float]:
        """By node."""
        return [each / max(1, self.messages) * 1e6 for each in self.cpu_s]


@dataclass(frozen=True, slots=True)
class Stand:
    """Nodes with their load generator."""

    name: str
    site: Site
    load: Load
    people: People

    def join(self, recipients: int) -> None:
        second = self.site.ports.get(NODES[-1], 0)
        self.load.open(SENDER, self.people.first_user(), 1)
        self.load.open(ADMINS, 0, recipients, other_port=second)

    def part(self) -> None:
        for group in (SENDER, ADMINS):
            self.load.close(group)

    def run(self, workload: Workload) -> Cost:
        before = [machine.cpu_s(pid) for pid in self.site.pids]
        done = self.load.run(workload)
        spent = tuple(machine.cpu_s(pid) - start for pid, start in zip(self.site.pids, before, strict=True))
        return Cost(done.completed, done.deliveries, spent)


def names(servers: Sequence[str]) -> dict[str, tuple[str, bool]]:
    """The cases: a server, and whether it has two nodes."""
    two = {f"{name}, two nodes": (name, True) for name in servers}
    alone = {"chatd": "chatd", ALONE: ALONE}
    wanted = {name if name == "chatd" else ALONE for name in servers}
    return {f"{name}, alone": (name, False) for name in alone if name in wanted} | two


@contextlib.contextmanager
def _stand(title: str, name: str, several: bool, people: People) -> Iterator[Stand]:
    cores = machine.cores()
    port = free_port()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-cluster-")))
        with machine.pinned(cores.load):
            redis = stack.enter_context(RedisServer(folder, "--port", str(port)))
            redis.start()
        buses = dict.fromkeys(NODES, f"redis://127.0.0.1:{port}") if several else {}
        setup = Setup(folder=folder, core=cores.server, redis=redis, buses=buses, ping_s=LONG_PING_S, recovery=False)
        running = stack.enter_context(site(name, setup))
        tokens = folder / "tokens"
        people.write_tokens(tokens)
        first = running.nodes[NODES[0]]
        yield Stand(
            title, running, stack.enter_context(Load(title, first.port, running.pids[0], tokens, cores.load)), people
        )


def measure(
    servers: Sequence[str], cases: Sequence[Case], rounds: int, seconds: float
) -> dict[Case, dict[str, list[Cost]]]:
    """Start all servers, and run them in turn."""
    people = People(max(case.recipients for case in cases) + 1, 1)
    results: dict[Case, dict[str, list[Cost]]] = {}
    with contextlib.ExitStack() as stack:
        stands = [stack.enter_context(_stand(title, *what, people)) for title, what in names(servers).items()]
        for case in cases:
            for stand in stands:
                stand.join(case.recipients)
                stand.run(case.workload(seconds / 2))
            results[case] = {stand.name: [] for stand in stands}
            for _ in range(rounds):
                for stand in stands:
                    results[case][stand.name].append(stand.run(case.workload(seconds)))
            for stand in stands:
                stand.part()
    return results


def best(costs: Mapping[str, Sequence[Cost]]) -> dict[str, Cost]:
    """The round with the least CPU for a delivery: noise only ever adds time."""
    return {name: min(rounds, key=lambda cost: cost.us_per_delivery) for name, rounds in costs.items()}
