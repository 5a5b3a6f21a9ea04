"""The same messages by Socket.IO with acknowledgements and by the API, in closed loops with as many in flight.

The goal: by the API at least half as many messages a second as by Socket.IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bench.report import Report, count
from bench.rig import say
from bench.webhook.plan import Plan, on_load_core, verdict
from bench.webhook.sending import BATCH, Way, by_batch, by_request, by_socket
from bench.webhook.servers import stand

IN_FLIGHT: Final = 100
LONGEST_S: Final = 3.0
SHARE: Final = 0.5
SOCKET_IO: Final = "Socket.IO, acknowledged"
WAYS: Final[Mapping[str, Way]] = {
    SOCKET_IO: by_socket,
    "API, one a request": by_request,
    f"API, {BATCH} a request": by_batch,
}


def measure(report: Report, plan: Plan) -> None:
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    with stand() as place:
        for number in range(plan.rounds):
            for name, way in WAYS.items():
                say(f"webhook, {name}, round {number + 1}")
                rates[name].append(on_load_core(way(place, min(plan.seconds, LONGEST_S), IN_FLIGHT)))
                place.server.check()
    for name, each in rates.items():
        report.add("chatd", {"part": "sends", "way": name, "in_flight": IN_FLIGHT}, {"best": max(each), "rounds": each})
    _table(report, {name: max(each) for name, each in rates.items()})


def _table(report: Report, best: Mapping[str, float]) -> None:
    shares = {name: each / best[SOCKET_IO] for name, each in best.items()}
    rows = [[name, count(best[name]), f"{share:.2f}"] for name, share in shares.items()]
    by_api = max(share for name, share in shares.items() if name != SOCKET_IO)
    goal = verdict(f"by the API at least {SHARE:g} times", reached=by_api >= SHARE)
    report.table(f"webhook: messages stored a second, {IN_FLIGHT} in flight; {goal}", ["", "messages/s", "times"], rows)
