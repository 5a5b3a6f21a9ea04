"""Smoke test: every kind of run in small, against chatd and the C baseline, in some seconds. For CI.

It fails when a message is lost, duplicated, misdirected or refused, or a connection left open, and never because of
slowness: no time is measured, and only a stall of a minute counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench import codec, connections, rooms
from bench.fairness import measure as fairness
from bench.fairness.floods import FLOODS
from bench.load import CROWD, LoadError, Storm, Workload
from bench.options import Options
from bench.peers import PEERS
from bench.report import Report
from bench.rig import BYSTANDER_COUNT, People, Rig, admin_name, rig, say, user_name

SERVERS: Final = ("chatd", "floor")  # what a machine without Node.js can run
ADMINS: Final = 20
CROWD_SIZE: Final = 50
CHURN_ROUNDS: Final = 2
PATIENCE_S: Final = 60.0
TINY_S: Final = 0.002
FLOODS_S: Final = 0.3
FLOODED_BY: Final = ("noop-1", "come-and-go-10")


def _work(**more: object) -> Workload:
    settings = {"para": admin_name(0), "de": user_name(0), "seconds": 0.1, "patience_s": PATIENCE_S}
    return Workload(**(settings | more))  # type: ignore[arg-type]  # the names are checked when it runs


def workloads() -> Iterator[Workload]:
    """Closed and open loop, small and large messages, with and without acknowledgement."""
    for in_flight in (1, 8):
        for payload_bytes in (64, 16 * 1024):
            yield _work(in_flight=in_flight, payload_bytes=payload_bytes)
    yield _work(in_flight=100, ack=True)
    yield _work(rate=100)
    yield _work(rate=100, ack=True)


def run(options: Options) -> None:
    servers = options.servers(SERVERS)
    for name in servers:
        say(f"smoke {name}")
        with rig(PEERS[name], People(ADMINS, 1 + BYSTANDER_COUNT + CROWD_SIZE)) as stand:
            messages = _deliveries(stand) + _arrivals(stand)
        print(f"{name}: {messages} messages, nothing lost, nothing doubled", flush=True)
    connections.measure(servers[0], CROWD_SIZE, CHURN_ROUNDS, pause_s=0.2)
    floods = [FLOODS[name] for name in FLOODED_BY]
    fairness.measure(Report("fairness", ("chatd",), options.folder), floods, FLOODS_S, rounds=1)
    codec.measure(Report("codec", ("chatd",), options.folder), TINY_S)
    rooms.measure(Report("rooms", ("chatd",), options.folder), (1, 100), TINY_S)


def _deliveries(stand: Rig) -> int:
    messages = 0
    stand.join(ADMINS)
    for workload in workloads():
        result = stand.run(workload)
        expected = result.messages, result.messages * ADMINS, result.messages * workload.ack
        if (result.completed, result.deliveries, result.acks) != expected or result.messages == 0:
            raise LoadError(f"{stand.name}, {workload.line()}: counts do not add up: {result}")
        messages += result.messages
    return messages


def _arrivals(stand: Rig) -> int:
    """Other clients connect during the messages, and disconnect in both ways."""
    first = stand.people.first_user() + 1 + BYSTANDER_COUNT
    messages = 0
    for reset in (False, True):
        storm = stand.run(_work(rate=100, storm=Storm(CROWD, first, CROWD_SIZE)))
        if storm.opened != CROWD_SIZE or storm.failed:
            raise LoadError(f"{stand.name}: {storm.opened} of {CROWD_SIZE} connections were ready")
        stand.load.close(CROWD, reset=reset)
        messages += storm.messages
    stand.part()
    return messages
