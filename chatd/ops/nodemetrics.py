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
        "1 while Redis joins this node to the others; NaN without --bus.",
        "0: messages reach other nodes by way of the database, up to two seconds later. The log says what is wrong.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.bus_is_up),
    ),
    Metric(
        "chatd_bus_outages_total",
        COUNTER,
        "How often Redis was lost.",
        "Grows while Redis runs: a network that drops connections, or a node that stands still for seconds.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.outages),
    ),
    Metric(
        "chatd_bus_connects_total",
        COUNTER,
        "How often this node has connected to Redis; 1 after a start.",
        "Grows faster than chatd_bus_outages_total: Redis takes connections and drops them at once.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.connects),
    ),
    Metric(
        "chatd_bus_frames_total",
        COUNTER,
        "Messages on the bus, each with all that a node said in a turn, by what became of them: published, received, "
        "dropped, overflowed, broken, failed, newer, refused or excess.",
        "dropped: Redis was away. overflowed: Redis did not take what came. broken: another program publishes on the "
        "channel. failed: a bug, see the log. newer: a node of a newer version says what this one does not know; "
        "upgrade it. refused: more numbers are in use than a position has room for. excess: other nodes tell of "
        "more users than node_max_users, or answer with more than 32 MiB.",
        _frames,
        ("outcome",),
    ),
    Metric(
        "chatd_nodes",
        GAUGE,
        "Nodes that are there, with this one; NaN without --bus.",
        "Fewer than you have started: one has ended, or hears another Redis, or another channel.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.living),
    ),
    Metric(
        "chatd_nodes_behind",
        GAUGE,
        "Nodes that have said something which has not arrived here.",
        "Above 0 for seconds: the database does not answer, and what the bus has lost cannot be read.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.behind),
    ),
    Metric(
        "chatd_node_silent_seconds",
        GAUGE,
        "For each other node: seconds since it was last heard, normally under 0.4. After 3 s it is gone, and so is its "
        "label.",
        "Above 1: that node stands still, or the network to Redis does. All of them at once: this node does.",
        lambda sources: _of_each(sources, lambda nodes: nodes.silent_s),
        ("node",),
    ),
    Metric(
        "chatd_node_missing",
        GAUGE,
        "For each other node: messages of it that are not delivered here yet, at least.",
        "Above 0 for seconds: what the bus has lost cannot be read; see chatd_nodes_behind.",
        lambda sources: _of_each(sources, lambda nodes: nodes.missing),
        ("node",),
    ),
    Metric(
        "chatd_node_unanswered_total",
        COUNTER,
        "How often another node did not answer `who` or `kick` within `node_answer_timeout`.",
        "Any growth: that node is too busy, or cut off from Redis; `chatd nodes` shows which.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.unanswered),
    ),
    Metric(
        "chatd_nodes_healed_total",
        COUNTER,
        "Messages of other nodes that came from the database, because the bus did not bring them.",
        "Grows while chatd_bus_up is 1: Redis cuts connections that read too slowly; this node is too busy.",
        lambda sources: _of_nodes(sources, lambda nodes: nodes.healed),
    ),
    Metric(
        "chatd_adapter_up",
        GAUGE,
        "1 while Redis joins this daemon to Node.js nodes; NaN without --bus-adapter.",
        "0: what is said on one side is not heard on the other. The log says what is wrong.",
        lambda sources: _of_neighbours(sources, lambda neighbours: neighbours.is_up),
    ),
    Metric(
        "chatd_adapter_outages_total",
        COUNTER,
        "How often the Redis of the Node.js nodes was lost.",
        "Grows while Redis runs: a network that drops connections, or a daemon that stands still for seconds.",
        lambda sources: _of_neighbours(sources, lambda neighbours: neighbours.outages),
    ),
    Metric(
        "chatd_adapter_messages_total",
        COUNTER,
        "Messages from and to Node.js nodes: told to them, dropped because too many waited for Redis, received; and of "
        "those received, taken for sockets here and answered.",
        "dropped: clients of Node.js nodes have missed messages, because Redis was away for long. received far above "
        "taken: their channels carry much that is for no client here. What is refused is in "
        "chatd_refusals_total{by=\"adapter\"}.",
        _adapter_messages,
        ("outcome",),
    ),
)  # fmt: skip
