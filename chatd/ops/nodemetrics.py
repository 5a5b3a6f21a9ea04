"""Metrics of several nodes, and of Node.js nodes beside them. See metrics.py."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from chatd.ops.metric import Kind, Labels, Metric, Sources
from chatd.ops.watched import Neighbours, Nodes

COUNTER, GAUGE = Kind.COUNTER, Kind.GAUGE


def _of_nodes(sources: Sources, read: Callable[[Nodes], float]) -> float:
    nodes = sources.watched.nodes
    return math.nan if nodes is None else float(read(nodes))


def _of_each(sources: Sources, read: Callable[[Nodes], Mapping[int, float]]) -> dict[Labels, float]:
    nodes = sources.watched.nodes
    return {("",): math.nan} if nodes is None else {(str(node),): float(value) for node, value in read(nodes).items()}


def _frames(sources: Sources) -> dict[Labels, float]:
    nodes = sources.watched.nodes
    counts = {"published": 0.0} if nodes is None else nodes.traffic()
    return {(outcome,): float(count) for outcome, count in dict(counts).items()}


def _of_neighbours(sources: Sources, read: Callable[[Neighbours], float]) -> float:
    neighbours = sources.watched.neighbours
    return math.nan if neighbours is None else float(read(neighbours))


def _adapter_messages(sources: Sources) -> dict[Labels, float]:
    neighbours = sources.watched.neighbours
    counts = (("told", 0),) if neighbours is None else neighbours.traffic()
    return {(outcome,): float(count) for outcome, count in counts}


NODE_METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "chatd_bus_up",
        GAUGE,
        "1 while this node is connected to Redis; NaN without --bus.",
        "0: messages reach other nodes through the database, up to two seconds later. The log says what is wrong.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.bus_is_up),
    ),
    Metric(
        "chatd_bus_outages_total",
        COUNTER,
        "How often the connection to Redis was lost.",
        "Grows while Redis runs: the network drops connections, or this process stalls for seconds.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.outages),
    ),
    Metric(
        "chatd_bus_connects_total",
        COUNTER,
        "How often this node has connected to Redis; 1 after a start.",
        "Grows faster than chatd_bus_outages_total: Redis accepts connections and closes them at once.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.connects),
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
        _frames,
        ("outcome",),
    ),
    Metric(
        "chatd_nodes",
        GAUGE,
        "Living nodes, this one included; NaN without --bus.",
        "Fewer than you have started: one has ended, or uses another Redis or another channel.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.living),
    ),
    Metric(
        "chatd_nodes_behind",
        GAUGE,
        "Other nodes of which a published message has not arrived here.",
        "Above 0 for seconds: the bus lost messages, and the database, which has them, does not answer.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.behind),
    ),
    Metric(
        "chatd_node_silent_seconds",
        GAUGE,
        "For each other node: seconds since its last message, normally under 0.4. After 3 s the node counts as gone, "
        "and its label is removed.",
        "Above 1: that node stalls, or its network to Redis does. All nodes at once: this node stalls.",
        lambda sources: _of_each(sources, lambda nodes: nodes.silent_s),
        ("node",),
    ),
    Metric(
        "chatd_node_missing",
        GAUGE,
        "For each other node: the least number of its messages that are not delivered here yet.",
        "Above 0 for seconds: messages that the bus lost cannot be read from the database; see chatd_nodes_behind.",
        lambda sources: _of_each(sources, lambda nodes: nodes.missing),
        ("node",),
    ),
    Metric(
        "chatd_node_unanswered_total",
        COUNTER,
        "How often another node did not answer `who` or `kick` within `node_answer_timeout`.",
        "Any growth: that node is too busy, or not connected to Redis; `chatd nodes` shows which.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.unanswered),
    ),
    Metric(
        "chatd_nodes_healed_total",
        COUNTER,
        "Messages of other nodes that were read from the database, because the bus lost them.",
        "Grows while chatd_bus_up is 1: Redis closes connections that read too slowly; this node is too busy.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.healed),
    ),
    Metric(
        "chatd_adapter_up",
        GAUGE,
        "1 while this daemon is connected to the Redis of Node.js nodes; NaN without --bus-adapter.",
        "0: messages of one side do not reach the other. The log says what is wrong.",
        lambda sources: _of_neighbours(sources, lambda neighbours: neighbours.is_up),
    ),
    Metric(
        "chatd_adapter_outages_total",
        COUNTER,
        "How often the connection to the Redis of the Node.js nodes was lost.",
        "Grows while that Redis runs: the network drops connections, or this process stalls for seconds.",
        lambda sources: _of_neighbours(sources, lambda neighbours: neighbours.outages),
    ),
    Metric(
        "chatd_adapter_messages_total",
        COUNTER,
        "Messages from and to Node.js nodes. told: sent to them; dropped: too many waited for Redis; received: from "
        "them; taken: received and delivered to sockets here; answered: requests that were answered.",
        "dropped: clients of Node.js nodes have missed messages, because Redis was down for long. received far above "
        "taken: most messages on the channels are for no client here. Refused messages are in "
        "chatd_refusals_total{by=\"adapter\"}.",
        _adapter_messages,
        ("outcome",),
    ),
)  # fmt: skip
