"""The memory of a daemon whose receiver is down: after a tenth of the events, and after all of them.

The goal: it does not grow. The events are in the database, and only a few hundred of them in memory.
"""

from __future__ import annotations

from typing import Final

from bench.ports import free_port
from bench.report import Report
from bench.rig import say
from bench.webhook.plan import Plan, on_load_core, verdict
from bench.webhook.sending import fill
from bench.webhook.servers import stand

MORE_MIB: Final = 2.0


def measure(report: Report, plan: Plan) -> None:
    sent, resident_mib = [plan.events // 10, plan.events], []
    with stand(free_port()) as place:
        for events in (sent[0], sent[1] - sent[0]):
            say(f"webhook, {events:,} events for a receiver that is down")
            on_load_core(fill(place, events))
            place.server.check()
            resident_mib.append(place.server.resident_bytes() / 2**20)
    report.add("chatd", {"part": "down", "events": plan.events}, {"resident_mib": resident_mib})
    goal = verdict(f"at most {MORE_MIB:g} MiB more", reached=resident_mib[1] - resident_mib[0] <= MORE_MIB)
    rows = [[f"{events:,}", f"{mib:.1f}"] for events, mib in zip(sent, resident_mib, strict=True)]
    report.table(f"webhook: resident memory with a receiver that is down; {goal}", ["events", "MiB"], rows)
