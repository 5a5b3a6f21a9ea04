"""Metrics of several nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from chatd.base.metric import Group, Kind, Labels, Metric

if TYPE_CHECKING:
    from chatd.chat.nodes.shell import Shell

COUNTER, GAUGE = Kind.COUNTER, Kind.GAUGE


def _by_node(numbers: Mapping[int, float]) -> dict[Labels, float]:
    return {(str(node),): float(number) for node, number in numbers.items()}


NODE_METRICS: Final[Group[Shell]] = Group("nodes", (
    Metric(
        "chatd_bus_up",
        GAUGE,
        "1 while this node is connected to Redis; NaN without --bus.",
        "0: messages reach other nodes through the database, up to two seconds later. The log says what is wrong.",
        lambda nodes: nodes.bus_is_up,
    ),
    Metric(
        "chatd_bus_outages_total",
        COUNTER,
        "How often the connection to Redis was lost.",
        "Grows while Redis runs: the network drops connections, or this process stalls for seconds.",
        lambda nodes: nodes.outages,
    ),
    Metric(
        "chatd_bus_connects_total",
        COUNTER,
        "How often this node has connected to Redis; 1 after a start.",
        "Grows faster than chatd_bus_outages_total: Redis accepts connections and closes them at once.",
        lambda nodes: nodes.connects,
    ),
    Metric(
        "chatd_bus_frames_total",
        COUNTER,
        "Messages on the bus by outcome: published, received, dropped, overflowed, broken, failed, newer, refused or "
        "excess. One message has everything that a node published in one turn of its event loop.",
        "dropped: Redis was down. overflowed: Redis read too slowly. broken: another program publishes on the "
        "channel. failed: a bug, see the log. newer: a node of a newer version sent what this one does not know; "
        "upgrade this node. refused: more node numbers are in use than a position can hold. excess: other nodes "
        "report more users than node_max_users, or answer with more than 32 MiB.",
        lambda nodes: {(outcome,): float(count) for outcome, count in nodes.traffic()},
        ("outcome",),
        {("published",): 0.0},
    ),
    Metric(
        "chatd_nodes",
        GAUGE,
        "Living nodes, this one included; NaN without --bus.",
        "Fewer than you have started: one has ended, or uses another Redis or another channel.",
        lambda nodes: nodes.living,
    ),
    Metric(
        "chatd_nodes_behind",
        GAUGE,
        "Other nodes of which a published message has not arrived here.",
        "Above 0 for seconds: the bus lost messages, and the database, which has them, does not answer.",
        lambda nodes: nodes.behind,
    ),
    Metric(
        "chatd_node_silent_seconds",
        GAUGE,
        "For each other node: seconds since its last message, normally under 0.4. After 3 s the node counts as gone, "
        "and its label is removed.",
        "Above 1: that node stalls, or its network to Redis does. All nodes at once: this node stalls.",
        lambda nodes: _by_node(nodes.silent_s),
        ("node",),
        {("",): math.nan},
    ),
    Metric(
        "chatd_node_missing",
        GAUGE,
        "For each other node: the least number of its messages that are not delivered here yet.",
        "Above 0 for seconds: messages that the bus lost cannot be read from the database; see chatd_nodes_behind.",
        lambda nodes: _by_node(nodes.missing),
        ("node",),
        {("",): math.nan},
    ),
    Metric(
        "chatd_node_unanswered_total",
        COUNTER,
        "How often another node did not answer `who` or `kick` within `node_answer_timeout`.",
        "Any growth: that node is too busy, or not connected to Redis; `chatd nodes` shows which.",
        lambda nodes: nodes.unanswered,
    ),
    Metric(
        "chatd_nodes_healed_total",
        COUNTER,
        "Messages of other nodes that were read from the database, because the bus lost them.",
        "Grows while chatd_bus_up is 1: Redis closes connections that read too slowly; this node is too busy.",
        lambda nodes: nodes.healed,
    ),
))  # fmt: skip
