"""Every metric of chatd: the only source for the scrape, the README and the dashboard.

What ends in `_total` or is a histogram grows from the start of the process on. Messages, deliveries and bytes are
counted by plain numbers where they pass; how long acknowledgements take is observed a whole batch at a time, with
the exact wait of every message (chatd/base/histogram.py); sessions by transport are counted at each scrape.
"""

from __future__ import annotations

import math
import platform
import sqlite3
from collections.abc import Callable, Mapping
from typing import Final

from chatd import __version__
from chatd.base.form import FORM
from chatd.base.histogram import Histogram
from chatd.logs.lines import LINES
from chatd.ops.hookmetrics import HOOK_METRICS
from chatd.ops.jwksmetrics import JWKS_METRICS
from chatd.ops.metric import Kind, Labels, Metric, Sources
from chatd.ops.watched import Neighbours, Nodes, Team

COUNTER, GAUGE, HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM


def _by_one_label(read: Callable[[Sources], Mapping[str, float]]) -> Callable[[Sources], Mapping[Labels, float]]:
    return lambda sources: {(value,): number for value, number in read(sources).items()}


def _refusals(sources: Sources) -> dict[Labels, float]:
    by = sources.watched.refusals
    return {(who, reason): count for who, counts in by.items() for reason, count in counts()}


def _opened(sources: Sources) -> float:
    """A session that has ended was counted then; the others are there."""
    return sum(sources.watched.socketio.ended.values()) + len(sources.watched.engine.sessions)


def _of_nodes(sources: Sources, read: Callable[[Nodes], float]) -> float:
    nodes = sources.watched.nodes
    return math.nan if nodes is None else float(read(nodes))


def _of_neighbours(sources: Sources, read: Callable[[Neighbours], float]) -> float:
    neighbours = sources.watched.neighbours
    return math.nan if neighbours is None else float(read(neighbours))


def _adapter_messages(sources: Sources) -> dict[Labels, float]:
    neighbours = sources.watched.neighbours
    counts = (("told", 0),) if neighbours is None else neighbours.traffic()
    return {(outcome,): float(count) for outcome, count in counts}


def _of_each(sources: Sources, read: Callable[[Nodes], Mapping[int, float]]) -> dict[Labels, float]:
    nodes = sources.watched.nodes
    return {("",): math.nan} if nodes is None else {(str(node),): float(value) for node, value in read(nodes).items()}


def _of_team(sources: Sources, read: Callable[[Team], float]) -> float:
    team = sources.watched.team
    return math.nan if team is None else float(read(team))


def _waits(sources: Sources, read: Callable[[Team], Histogram]) -> Histogram:
    """Without a team, one of nothing."""
    team = sources.watched.team
    return Histogram(()) if team is None else read(team)


def _frames(sources: Sources) -> dict[Labels, float]:
    nodes = sources.watched.nodes
    counts = {"published": 0.0} if nodes is None else nodes.traffic()
    return {(outcome,): float(count) for outcome, count in dict(counts).items()}


METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "chatd_build_info",
        GAUGE,
        "Always 1; the labels say what runs, `form` whether it is compiled.",
        "Changes with an upgrade. Two values at once over your servers: an upgrade is half done.",
        lambda _: {(__version__, FORM, platform.python_version(), sqlite3.sqlite_version): 1.0},
        ("version", "form", "python", "sqlite"),
    ),
    Metric(
        "chatd_ready",
        GAUGE,
        "1 while clients are welcome, 0 at start and from the first moment of a stop.",
        "0 for longer than a stop takes: look at the last lines of the log.",
        lambda sources: float(sources.gate.is_open),
    ),
    Metric(
        "chatd_reload_refused",
        GAUGE,
        "1 while the last reload was refused; 0 once one is done.",
        "1: what is in force is not what is in the files. The log, `systemctl status` and `chatd check` say why.",
        lambda sources: float(sources.reload.last.fault is not None),
    ),
    Metric(
        "chatd_sessions",
        GAUGE,
        "Sessions that are open, by transport.",
        "Many on polling: the proxy does not let WebSockets through; ask `chatd doctor URL`. Near `max_connections`: "
        "raise that, and LimitNOFILE with it. A sudden fall: see chatd_disconnects_total.",
        _by_one_label(lambda sources: sources.watched.sessions()),
        ("transport",),
    ),
    Metric(
        "chatd_sessions_opened_total",
        COUNTER,
        "Sessions that were opened.",
        "Grows much faster than chatd_sessions: clients come and go; see chatd_disconnects_total for why.",
        _opened,
    ),
    Metric(
        "chatd_connections",
        GAUGE,
        "Open TCP and unix connections; a session on polling has up to three.",
        "Far above chatd_sessions: a client opens connections and sends nothing; lower `max_connections_per_address`.",
        lambda sources: float(len(sources.watched.engine.connections)),
    ),
    Metric(
        "chatd_unfinished_bytes",
        GAUGE,
        "Memory for messages and requests of which the end has not come yet.",
        "Near `max_unfinished`: many clients send slowly, or many addresses attack; see "
        "`max_unfinished_per_client` in chatd_refusals_total, and the log for who it is.",
        lambda sources: float(sources.watched.engine.connections.unfinished.total_bytes),
    ),
    Metric(
        "chatd_turn_waits_total",
        COUNTER,
        "How often a connection was not read for a turn, because its user or address had used up `turn_budget`.",
        "Thousands a second for minutes: a client floods, and pays with its own delay; the log of refusals may name "
        "it. All clients are slow and this stands still: the CPU is too slow for honest load.",
        lambda sources: float(sources.watched.engine.turns.waits),
    ),
    Metric(
        "chatd_users",
        GAUGE,
        "Users who are connected, with however many tabs.",
        "Falls while chatd_sessions stays: sockets cannot join; see chatd_refusals_total{by=\"door\"}.",
        lambda sources: float(sources.watched.users()),
    ),
    Metric(
        "chatd_admin_sockets",
        GAUGE,
        "Sockets in the room admins.",
        "0 in office hours: users write and no admin sees it. Every one more is one more delivery of each message.",
        lambda sources: float(sources.watched.admins()),
    ),
    Metric(
        "chatd_events_received_total",
        COUNTER,
        "Events that clients sent, refused ones included.",
        "A jump without one in chatd_messages_sent_total: look at chatd_refusals_total{by=\"chat\"}.",
        lambda sources: float(sources.watched.events()),
    ),
    Metric(
        "chatd_messages_sent_total",
        COUNTER,
        "Events that went to rooms, once each however many sockets there are.",
        "Stands still while chatd_events_received_total grows: nothing is accepted.",
        lambda sources: float(sources.watched.namespace.broadcasts),
    ),
    Metric(
        "chatd_deliveries_total",
        COUNTER,
        "The same, once for each socket that was sent it.",
        "This is what takes the CPU. Divided by chatd_messages_sent_total it is the audience of a message.",
        lambda sources: float(sources.watched.namespace.deliveries),
    ),
    Metric(
        "chatd_acknowledgements_total",
        COUNTER,
        "Answers to events that asked for one, refusals included.",
        "Stands still while chatd_events_received_total grows: the disk hangs; see chatd_store_waiting.",
        lambda sources: float(sources.watched.namespace.acknowledgements),
    ),
    Metric(
        "chatd_acknowledgement_seconds",
        HISTOGRAM,
        "From a message's arrival at the store until it is durable or has failed, which is when its sender is told.",
        "p99 over 0.1: the disk is slow (compare chatd_commit_seconds) or the loop is (chatd_loop_lag_seconds).",
        lambda sources: sources.watched.store.counters.answer_s,
    ),
    Metric(
        "chatd_commit_seconds",
        HISTOGRAM,
        "One commit of a batch, with its write to the disk.",
        "p50 over 0.02: the disk shares its queue with something else. `synchronous` must stay FULL if an "
        "acknowledgement is to survive a power cut.",
        lambda sources: sources.watched.store.counters.commit_s,
    ),
    Metric(
        "chatd_commit_rows",
        HISTOGRAM,
        "Messages in one commit.",
        "Grows with the load, which is how it should be. Always at 1024: the disk is the limit.",
        lambda sources: sources.watched.store.counters.batch_rows,
    ),
    Metric(
        "chatd_stored_total",
        COUNTER,
        "Messages that are durable.",
        "Below chatd_messages_sent_total for long: messages are delivered and not stored; see the next two.",
        lambda sources: float(sources.watched.store.counters.rows),
    ),
    Metric(
        "chatd_store_failures_total",
        COUNTER,
        "Messages that could not be stored; their senders were told.",
        "Any growth: the log says what the database answered. Disk full, read-only, or locked by another program.",
        lambda sources: float(sources.watched.store.counters.failures),
    ),
    Metric(
        "chatd_store_refused_total",
        COUNTER,
        "Messages that were refused because as many waited as may wait.",
        "Any growth: the disk does not keep up; see chatd_commit_seconds.",
        lambda sources: float(sources.watched.store.counters.refused),
    ),
    Metric(
        "chatd_store_free_bytes",
        GAUGE,
        "Room on the disk of the database; NaN with PostgreSQL, whose disk only its own machine knows.",
        "Falls towards `min_free`, below which messages are refused: make room, or lower `retention`.",
        lambda sources: _known(sources.watched.store.free_bytes),
    ),
    Metric(
        "chatd_store_bytes",
        GAUGE,
        "Size of the database, on PostgreSQL as the server says once a minute; NaN until it is known.",
        "Grows without end: set `retention`, and see `chatd prune` and `chatd vacuum`. Far above what its rows need "
        "after a deletion: its pages are used again, and only `chatd vacuum` gives them back.",
        lambda sources: _known(None if (used := sources.watched.store.used) is None else used.database_bytes),
    ),
    Metric(
        "chatd_store_log_bytes",
        GAUGE,
        "Size of SQLite's write-ahead log, the file that ends in -wal; NaN with PostgreSQL.",
        "Above 256 MiB for minutes: a backup or another program reads the database without an end, and the log cannot "
        "be written back.",
        lambda sources: _known(None if (used := sources.watched.store.used) is None else used.log_bytes),
    ),
    Metric(
        "chatd_store_displaced",
        GAUGE,
        "1 when the database or its log is not what was opened: removed, replaced or overwritten.",
        "1: nothing is stored, and senders are told; the log says which file it is. Restart chatd.",
        lambda sources: float(sources.watched.store.displaced),
    ),
    Metric(
        "chatd_store_waiting",
        GAUGE,
        "Messages and questions that wait for the database.",
        "Grows for minutes: the disk does not keep up or hangs. A few hundred for a moment are a batch.",
        lambda sources: float(sources.watched.store.waiting),
    ),
    Metric(
        "chatd_deleted_total",
        COUNTER,
        "Messages that retention has deleted, because they were older than `retention` days.",
        "A jump right after a start: was the clock right, and `retention` what was meant? Only a backup has them.",
        lambda sources: float(sources.watched.store.counters.deleted),
    ),
    Metric(
        "chatd_retention_waits",
        GAUGE,
        "1 while retention deletes nothing, because the clock is far ahead of what the database knows of the time.",
        "1: set the clock right, or if it is, say so with `chatd clock --trust`; `chatd clock` shows both times.",
        lambda sources: float(sources.watched.store.counters.retention_waits),
    ),
    Metric(
        "chatd_refusals_total",
        COUNTER,
        "What was refused: by whom, and for which limit or with which code.",
        "One reason from many users: a limit is too low, or an application sends nonsense. One address: an attack; the "
        "log has the address. token_expired: pages stay open longer than their tokens live.",
        _refusals,
        ("by", "reason"),
    ),
    Metric(
        "chatd_disconnects_total",
        COUNTER,
        "Sessions that ended, by reason.",
        "ping timeout: networks, sleeping phones, or a proxy that cuts silent connections. slow consumer: clients that "
        "do not read; see `max_queued`. parse error: something that is no Socket.IO client.",
        _by_one_label(lambda sources: sources.watched.disconnects()),
        ("reason",),
    ),
    Metric(
        "chatd_recoveries_total",
        COUNTER,
        "Clients that came back and said how far they had come, by outcome: complete, all they missed was sent.",
        "Many incomplete: clients stay away for longer than `recovery_limit` reaches, or the database cannot be read.",
        _by_one_label(lambda sources: dict(sources.watched.recoveries())),
        ("outcome",),
    ),
    Metric(
        "chatd_received_bytes_total",
        COUNTER,
        "Bytes that came in, HTTP and WebSocket framing included, TLS not.",
        "Much more for each event than before: an application sends more than it did, or polls without pause.",
        lambda sources: float(sources.watched.engine.connections.received_bytes),
    ),
    Metric(
        "chatd_sent_bytes_total",
        COUNTER,
        "Bytes of packets that went out, as WebSocket frames; polling adds its HTTP headers.",
        "Near what the network carries: fewer admins, shorter messages, or another server.",
        lambda sources: float(sources.watched.outbox.sent_bytes),
    ),
    Metric(
        "chatd_log_lines_suppressed_total",
        COUNTER,
        "Log lines that were left out, because too many of the same words came at once.",
        "Any growth: a client causes lines without end; the last line of each kind is written, and its left_out says "
        "how many there were.",
        lambda _: float(LINES.suppressed),
    ),
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
    Metric(
        "chatd_team_waiting",
        GAUGE,
        "Users who have written to a team of admins and have no answer; NaN without a team. The same on every node.",
        "Grows for an hour: too few admins are here. Always 0: ask whether the site reaches the chat.",
        lambda sources: _of_team(sources, lambda team: team.waiting),
    ),
    Metric(
        "chatd_team_longest_wait_seconds",
        GAUGE,
        "How long the first of them has waited; 0 if no user waits, NaN without a team.",
        "Above what you promise: a conversation was forgotten; it is the first of the list without an answer.",
        lambda sources: _of_team(sources, lambda team: team.longest_s),
    ),
    Metric(
        "chatd_team_claimed",
        GAUGE,
        "Conversations that an admin is on; NaN without a team.",
        "Stays high at night: admins leave their pages open, and nothing is resolved.",
        lambda sources: _of_team(sources, lambda team: team.claimed),
    ),
    Metric(
        "chatd_team_first_answer_seconds",
        HISTOGRAM,
        "From a user's first message, since the conversation was new or resolved, until an admin answered.",
        "This is what visitors feel. Grows: more admins, canned replies, or opening hours in the widget.",
        lambda sources: _waits(sources, lambda team: team.first_answer_s),
    ),
    Metric(
        "chatd_team_answer_seconds",
        HISTOGRAM,
        "From a user's first message without an answer until an admin answered, each time.",
        "Far above the one before: conversations begin well and are left alone; see who has claimed them.",
        lambda sources: _waits(sources, lambda team: team.answer_s),
    ),
    *HOOK_METRICS,
    *JWKS_METRICS,
    Metric(
        "chatd_loop_lag_seconds",
        HISTOGRAM,
        "How late the event loop called back, four times a second.",
        "p99 over 0.05: the CPU is busy; the process has one core, so compare process_cpu_seconds_total with 1 a "
        "second. Alone and rare: the machine was stopped or swaps.",
        lambda sources: sources.lag.observed,
    ),
)  # fmt: skip


def _known(value: int | None) -> float:
    """Prometheus's word for a value that there is none of: it is in no sum, and moves no alert."""
    return math.nan if value is None else float(value)


def table() -> str:
    """The metrics as a page shows them: Markdown."""
    lines = ["| metric | what it is | when it moves |", "|---|---|---|"]
    for metric in METRICS:
        labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
        lines.append(f"| `{metric.name}{labels}` ({metric.kind}) | {metric.help} | {metric.advice} |")
    return "\n".join(lines) + "\n"
