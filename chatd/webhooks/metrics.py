"""Metrics of webhooks. Each has the label `hook`, the name of the webhook in the configuration file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from chatd.base.metric import Group, Kind, Labels, Metric

if TYPE_CHECKING:
    from chatd.webhooks.hook import Hook

NO_HOOK: Final[Mapping[Labels, float]] = {("",): math.nan}


def _of_each(read: Callable[[Hook], float]) -> Callable[[Sequence[Hook]], dict[Labels, float]]:
    return lambda hooks: {(hook.name,): float(read(hook)) for hook in hooks}


def _tries(hooks: Sequence[Hook]) -> dict[Labels, float]:
    return {(hook.name, outcome): float(count) for hook in hooks for outcome, count in hook.outcomes()}


HOOK_METRICS: Final[Group[Sequence[Hook]]] = Group("hooks", (
    Metric(
        "chatd_webhook_events_total",
        Kind.COUNTER,
        "Events of a webhook by outcome: delivered, failed (and tried again), set aside. Mail to users has two more: "
        "held back by `pause`, and unknown recipient.",
        "failed: the receiver is down or slow; the log says since when. set_aside: the receiver refuses these events "
        "permanently; see `chatd webhook list`, and run `chatd webhook replay` once it accepts them. "
        "unknown_recipient: addresses in tokens are wrong.",
        _tries,
        ("hook", "outcome"),
        {("", "delivered"): math.nan},
    ),
    Metric(
        "chatd_webhook_unfinished",
        Kind.GAUGE,
        "Events of a webhook that are read from the database and not delivered yet; NaN without a webhook. At most "
        "256; more wait in the database. 0 on the nodes that do not serve the webhook.",
        "Near 256 for minutes: the receiver is slower than events arrive; see the next row, and raise `parallel`.",
        _of_each(lambda hook: hook.unfinished),
        ("hook",),
        NO_HOOK,
    ),
    Metric(
        "chatd_webhook_behind_seconds",
        Kind.GAUGE,
        "Age of the oldest event that a webhook has not delivered; 0 if there is none, NaN without a webhook.",
        "Above the delay that the other system tolerates: it is down or too slow. `chatd webhook test` sends it a test "
        "event, and `chatd webhook list` counts the events that wait.",
        _of_each(lambda hook: hook.behind_s),
        ("hook",),
        NO_HOOK,
    ),
    Metric(
        "chatd_webhook_off",
        Kind.GAUGE,
        "1 while a webhook is switched off because its receiver answered 410; NaN without a webhook.",
        "1: nothing is sent. When the receiver works again, run `chatd webhook replay`.",
        _of_each(lambda hook: float(hook.is_off)),
        ("hook",),
        NO_HOOK,
    ),
))  # fmt: skip
