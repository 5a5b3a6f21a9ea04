"""Metrics of Node.js nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatd.base.metric import Group, Kind, Metric

if TYPE_CHECKING:
    from chatd.chat.neighbours.neighbours import Neighbours

COUNTER, GAUGE = Kind.COUNTER, Kind.GAUGE

NEIGHBOUR_METRICS: Final[Group[Neighbours]] = Group("neighbours", (
    Metric(
        "chatd_adapter_up",
        GAUGE,
        "1 while this daemon is connected to the Redis of Node.js nodes; NaN without --bus-adapter.",
        "0: messages of one side do not reach the other. The log says what is wrong.",
        lambda neighbours: neighbours.is_up,
    ),
    Metric(
        "chatd_adapter_outages_total",
        COUNTER,
        "How often the connection to the Redis of the Node.js nodes was lost.",
        "Grows while that Redis runs: the network drops connections, or this process stalls for seconds.",
        lambda neighbours: neighbours.outages,
    ),
    Metric(
        "chatd_adapter_messages_total",
        COUNTER,
        "Messages from and to Node.js nodes. told: sent to them; dropped: too many waited for Redis; received: from "
        "them; taken: received and delivered to sockets here; answered: requests that were answered.",
        "dropped: clients of Node.js nodes have missed messages, because Redis was down for long. received far above "
        "taken: most messages on the channels are for no client here. Refused messages are in "
        "chatd_refusals_total{by=\"adapter\"}.",
        lambda neighbours: {(outcome,): float(count) for outcome, count in neighbours.traffic()},
        ("outcome",),
        {("told",): 0.0},
    ),
))  # fmt: skip
