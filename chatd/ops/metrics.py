"""Every metric of chatd: the only source for the scrape, the README and the dashboard.

What ends in `_total` or is a histogram grows from the start of the process on. Messages, deliveries and bytes are
counted by plain numbers where they pass; how long acknowledgements take is observed a whole batch at a time, with
the exact wait of every message (chatd/base/histogram.py); sessions by transport are counted at each scrape.
"""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Callable, Mapping
from typing import Final

from chatd import __version__
from chatd.base.form import FORM
from chatd.logs.lines import LINES
from chatd.ops.hookmetrics import HOOK_METRICS
from chatd.ops.jwksmetrics import JWKS_METRICS
from chatd.ops.metric import Kind, Labels, Metric, Sources
from chatd.ops.nodemetrics import NODE_METRICS
from chatd.ops.storemetrics import STORE_METRICS
from chatd.ops.teammetrics import TEAM_METRICS

COUNTER, GAUGE, HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM


def _by_one_label(read: Callable[[Sources], Mapping[str, float]]) -> Callable[[Sources], Mapping[Labels, float]]:
    return lambda sources: {(value,): number for value, number in read(sources).items()}


def _refusals(sources: Sources) -> dict[Labels, float]:
    by = sources.watched.refusals
    return {(who, reason): count for who, counts in by.items() for reason, count in counts()}


def _opened(sources: Sources) -> float:
    """A session that has ended was counted then; the others are there."""
    return sum(sources.watched.socketio.ended.values()) + len(sources.watched.engine.sessions)


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
    *STORE_METRICS,
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
    *NODE_METRICS,
    *TEAM_METRICS,
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


def table() -> str:
    """The metrics as a page shows them: Markdown."""
    lines = ["| metric | what it is | when it moves |", "|---|---|---|"]
    for metric in METRICS:
        labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
        lines.append(f"| `{metric.name}{labels}` ({metric.kind}) | {metric.help} | {metric.advice} |")
    return "\n".join(lines) + "\n"
