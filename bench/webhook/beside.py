"""Honest clients on a busy chat, without a webhook and with one for every event.

Users and admins send to each other in pairs, while an admin sends a thousand messages a second to offline users.
Two daemons run in turn, round by round. The goal: with a webhook, the p99 of the pairs is at most 1.2 times of that
without.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bench import tokens
from bench.fairness import people
from bench.fairness.post import Letter
from bench.load import LoadError
from bench.ports import free_port
from bench.report import Report
from bench.rig import say
from bench.tally import quantiles
from bench.webhook.plan import Plan, on_load_core, verdict
from bench.webhook.sending import SOURCE, para_of, writer
from bench.webhook.servers import Stand, receiver, stand, taken

TIMES: Final = 1.2
WARM_S: Final = 0.5
DRAIN_S: Final = 30.0
WITHOUT, WITH = "without a hook", "with a hook"
KINDS: Final = ("delivery", "ack")


@dataclass(slots=True)
class Heard:
    """Over all rounds: seconds from a message to its delivery and to its acknowledgement, and of the server's CPU."""

    delivery: list[float] = field(default_factory=list)
    ack: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def add(self, letters: Sequence[Letter], cpu_s: float) -> None:
        self.delivery += [letter.heard - letter.sent for letter in letters]
        self.ack += [letter.acknowledged - letter.sent for letter in letters]
        self.cpu_s += cpu_s

    def figures(self) -> dict[str, dict[str, float]]:
        """Milliseconds."""
        return {kind: quantiles(each * 1_000 for each in getattr(self, kind)) for kind in KINDS}


def measure(report: Report, plan: Plan) -> None:
    port, heard = free_port(), {WITHOUT: Heard(), WITH: Heard()}
    with receiver(port) as receiving, stand() as plain, stand(port) as hooked:
        for number in range(plan.rounds):
            for name, place in ((WITHOUT, plain), (WITH, hooked)):
                say(f"webhook, {name}, round {number + 1}")
                before = place.server.cpu_s()
                letters = on_load_core(_round(place, plan))
                heard[name].add(letters, place.server.cpu_s() - before)
                place.server.check()
        events = _delivered(receiving, plan)
    for name, each in heard.items():
        case = {"part": "beside", "hook": name == WITH, "rate": plan.rate, "seconds": plan.seconds}
        report.add("chatd", case, {**each.figures(), "cpu_s": each.cpu_s, "rounds": plan.rounds})
    _table(report, plan, heard, events)


async def _round(place: Stand, plan: Plan) -> list[Letter]:
    """The messages of the pairs. Raises LoadError unless all were received and acknowledged."""
    pairs = await people.couples(place.server.port, SOURCE, tokens.mint)
    await people.talk(pairs, WARM_S)
    async with asyncio.TaskGroup() as group:
        talking = group.create_task(people.talk(pairs, plan.seconds))
        group.create_task(_pour(place, plan))
    post = talking.result()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            await post.complete.wait()
    for person in (person for pair in pairs for person in pair):
        person.leave()
    if post.lost():
        raise LoadError("\n".join(post.lost()))
    return list(post.letters.values())


async def _pour(place: Stand, plan: Plan) -> None:
    """Messages at even intervals, whatever the state of earlier ones; return when all are stored."""
    total = int(plan.rate * plan.seconds)
    window, person = await writer(place, total)
    start = time.monotonic()
    for number in range(total):
        await window.room()
        await asyncio.sleep(start + number / plan.rate - time.monotonic())
        person.write(para_of(number), number)
    await window.empty()
    person.leave()


def _delivered(receiving: subprocess.Popen[str], plan: Plan) -> int:
    """The number of events that the webhook has delivered, once all are. Raises LoadError."""
    wanted = plan.rounds * int(plan.rate * plan.seconds)
    end = time.monotonic() + DRAIN_S + plan.rounds * plan.seconds
    while (events := taken(receiving)) < wanted:
        if time.monotonic() > end:
            raise LoadError(f"{events} of {wanted} events were delivered")
        time.sleep(0.1)
    return events


def _table(report: Report, plan: Plan, heard: dict[str, Heard], events: int) -> None:
    rows = []
    for name, each in heard.items():
        figures = each.figures()
        shown = [f"{figures[kind][q]:.2f}" for kind in KINDS for q in ("p50", "p99")]
        rows.append([name, *shown, f"{each.cpu_s / plan.rounds / plan.seconds:.2f}"])
    without, with_hook = heard[WITHOUT].figures(), heard[WITH].figures()
    times = [with_hook[kind]["p99"] / without[kind]["p99"] for kind in KINDS]
    rows.append(["times", "", f"{times[0]:.2f}", "", f"{times[1]:.2f}", ""])
    goal = verdict(f"p99 at most {TIMES:g} times", reached=max(times) <= TIMES)
    title = f"webhook: pairs beside {plan.rate:,} messages a second, ms; {events:,} events delivered; {goal}"
    report.table(title, ["", "delivery p50", "p99", "ack p50", "p99", "cores"], rows)
