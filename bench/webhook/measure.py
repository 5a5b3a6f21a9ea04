"""The cost of other systems, in three parts with a table each; see beside.py, sends.py and down.py."""

from __future__ import annotations

import dataclasses
from typing import Final

from bench.options import Options
from bench.report import Report
from bench.webhook import beside, down, sends
from bench.webhook.plan import Plan

MANY_EVENTS: Final = 1_000_000


def run(options: Options) -> None:
    usual = Plan()
    plan = dataclasses.replace(
        usual,
        seconds=options.seconds or usual.seconds,
        rounds=options.rounds,
        rate=options.rates[0] if options.rates else usual.rate,
        events=options.rows or (MANY_EVENTS if options.full else usual.events),
    )
    measure(Report("webhook", ("chatd",), options.folder), plan)


def measure(report: Report, plan: Plan) -> None:
    """Raises LoadError if a message or an event is lost."""
    beside.measure(report, plan)
    sends.measure(report, plan)
    down.measure(report, plan)
    report.write()
