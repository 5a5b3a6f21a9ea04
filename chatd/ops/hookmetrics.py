"""Metrics of webhooks, each by the name of the hook: as many as the configuration file has. See metrics.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from chatd.ops.metric import Kind, Labels, Metric, Sources
from chatd.ops.watched import HookState


def _of_each(read: Callable[[HookState], float]) -> Callable[[Sources], dict[Labels, float]]:
    def of_all(sources: Sources) -> dict[Labels, float]:
        return {(hook.name,): read(hook) for hook in sources.watched.hooks} or {("",): math.nan}

    return of_all


def _tries(sources: Sources) -> dict[Labels, float]:
    found: dict[Labels, float] = {}
    for hook in sources.watched.hooks:
        found |= {(hook.name, outcome): float(count) for outcome, count in hook.outcomes()}
    return found or {("", "delivered"): math.nan}


HOOK_METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "chatd_webhook_events_total",
        Kind.COUNTER,
        "What became of events of a webhook: delivered, a try that failed and is repeated, set aside. Of mail to users "
        "also: held back by `pause`, for an unknown recipient.",
        "failed: the receiver is down or slow; the log says since when. set_aside: it refuses certain events for good; "
        "see `chatd webhook list`, and `chatd webhook replay` once it takes them. unknown_recipient: addresses in "
        "tokens are wrong.",
        _tries,
        ("hook", "outcome"),
    ),
    Metric(
        "chatd_webhook_unfinished",
        Kind.GAUGE,
        "Events of a webhook that were read ahead and are not done; NaN without one. At most 256, more wait in the "
        "database. 0 on the nodes that do not serve it.",
        "Near 256 for minutes: the receiver takes less than users write; see the next row, and raise `parallel`.",
        _of_each(lambda hook: hook.unfinished),
        ("hook",),
    ),
    Metric(
        "chatd_webhook_behind_seconds",
        Kind.GAUGE,
        "How old the first event is that a webhook has not delivered; 0 if there is none, NaN without a webhook.",
        "Above what the other system can bear: it is down or too slow. `chatd webhook test` tries it, and `chatd "
        "webhook list` counts what waits.",
        _of_each(lambda hook: hook.behind_s),
        ("hook",),
    ),
    Metric(
        "chatd_webhook_off",
        Kind.GAUGE,
        "1 while a webhook is switched off, because its receiver has answered 410; NaN without one.",
        "1: nothing is sent. When the receiver is right again, `chatd webhook replay`.",
        _of_each(lambda hook: float(hook.is_off)),
        ("hook",),
    ),
)
