"""The metrics of the daemon itself; those of its parts are in the `groups` of Sources.

Histograms and metrics whose names end in `_total` only grow, from the start of the process on. Messages, deliveries and
bytes are plain integers that the code increments; acknowledgement times are recorded a batch at a time, with the exact
wait of every message (chatd/base/histogram.py); sessions by transport are counted at each scrape.
"""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from chatd import __version__
from chatd.base.form import FORM
from chatd.base.metric import Group, Kind, Labels, Metric, Reading
from chatd.logs.lines import LINES
from chatd.ops.sources import Sources

COUNTER, GAUGE, HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM


def _by_one_label(read: Callable[[Sources], Mapping[str, float]]) -> Callable[[Sources], Mapping[Labels, float]]:
    return lambda sources: {(value,): number for value, number in read(sources).items()}


def _refusals(sources: Sources) -> dict[Labels, float]:
    by = sources.watched.refusals
    return {(who, reason): count for who, counts in by.items() for reason, count in counts()}


def _opened(sources: Sources) -> float:
    """Sessions that have ended plus sessions that are open."""
    return sum(sources.watched.socketio.ended.values()) + len(sources.watched.engine.sessions)


DAEMON_METRICS: Final[Group[Sources]] = Group("daemon", (
    Metric(
        "chatd_build_info",
        GAUGE,
        "Always 1; the labels have the versions, and `form` tells whether chatd is compiled.",
        "Changes with an upgrade. Two versions on your servers at once: an upgrade is half done.",
        lambda _: {(__version__, FORM, platform.python_version(), sqlite3.sqlite_version): 1.0},
        ("version", "form", "python", "sqlite"),
    ),
    Metric(
        "chatd_ready",
        GAUGE,
        "1 while clients are admitted, 0 during start and stop.",
        "0 for longer than a stop takes: look at the last lines of the log.",
        lambda sources: float(sources.gate.is_open),
    ),
    Metric(
        "chatd_reload_refused",
        GAUGE,
        "1 after a reload was refused, until one succeeds.",
        "1: the daemon does not use the settings in the files. The log, `systemctl status` and `chatd check` say why.",
        lambda sources: float(sources.reload.last.fault is not None),
    ),
    Metric(
        "chatd_sessions",
        GAUGE,
        "Open sessions by transport.",
        "Many on polling: the proxy does not let WebSockets through; ask `chatd doctor URL`. Near `max_connections`: "
        "raise that, and LimitNOFILE with it. A sudden fall: see chatd_disconnects_total.",
        _by_one_label(lambda sources: sources.watched.sessions()),
        ("transport",),
    ),
    Metric(
        "chatd_sessions_opened_total",
        COUNTER,
        "Sessions opened since the start.",
        "Grows much faster than chatd_sessions: clients reconnect often; see chatd_disconnects_total for why.",
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
        "Memory for messages and requests that have arrived in part.",
        "Near `max_unfinished`: many clients send slowly, or many addresses attack; see "
        "`max_unfinished_per_client` in chatd_refusals_total, and the log for the address or user.",
        lambda sources: float(sources.watched.engine.connections.unfinished.total_bytes),
    ),
    Metric(
        "chatd_turn_waits_total",
        COUNTER,
        "How often a connection had to wait for the next turn of the event loop, because its user or address had used "
        "up `turn_budget`.",
        "Thousands a second for minutes: a client floods, and only that client is delayed; the log of refusals may "
        "name it. All clients are slow and this does not grow: the CPU is too slow for normal load.",
        lambda sources: float(sources.watched.engine.turns.waits),
    ),
    Metric(
        "chatd_messages_sent_total",
        COUNTER,
        "Events sent to rooms; each counts once, not once for each socket.",
        "Stands still while chatd_events_received_total grows: all events are refused.",
        lambda sources: float(sources.watched.namespace.broadcasts),
    ),
    Metric(
        "chatd_deliveries_total",
        COUNTER,
        "Events sent to sockets: one for each event and receiving socket.",
        "Deliveries take most of the CPU. Divided by chatd_messages_sent_total: the mean number of receivers.",
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
        "chatd_refusals_total",
        COUNTER,
        "Refusals by layer, and by limit or error code.",
        "One reason from many users: a limit is too low, or an application sends nonsense. One address: an attack; the "
        "log has the address. token_expired: pages stay open longer than their tokens live.",
        _refusals,
        ("by", "reason"),
    ),
    Metric(
        "chatd_disconnects_total",
        COUNTER,
        "Sessions that ended, by reason.",
        "ping timeout: networks, sleeping phones, or a proxy that closes idle connections. slow consumer: clients that "
        "do not read; see `max_queued`. parse error: programs that are not Socket.IO clients.",
        _by_one_label(lambda sources: sources.watched.disconnects()),
        ("reason",),
    ),
    Metric(
        "chatd_received_bytes_total",
        COUNTER,
        "Bytes received, with HTTP and WebSocket framing, without TLS.",
        "Many more bytes for each event than before: an application sends more, or polls without pause.",
        lambda sources: float(sources.watched.engine.connections.received_bytes),
    ),
    Metric(
        "chatd_sent_bytes_total",
        COUNTER,
        "Bytes of packets sent, counted as WebSocket frames; HTTP headers of polling are not counted.",
        "Near the capacity of the network: use fewer admins, shorter messages, or another server.",
        lambda sources: float(sources.watched.outbox.sent_bytes),
    ),
    Metric(
        "chatd_log_lines_suppressed_total",
        COUNTER,
        "Log lines that were not written, because the same message was logged too often.",
        "Any growth: a client causes many lines. The last line of each message is written, and its field left_out "
        "counts the others.",
        lambda _: float(LINES.suppressed),
    ),
    Metric(
        "chatd_loop_lag_seconds",
        HISTOGRAM,
        "Delay of the event loop, measured four times a second.",
        "p99 over 0.05: the CPU is busy; the process uses one core, so compare process_cpu_seconds_total with 1 a "
        "second. Rare single peaks: the machine was suspended or swaps.",
        lambda sources: sources.lag.observed,
    ),
))  # fmt: skip


def readings(sources: Sources) -> Iterator[tuple[Metric[Any], Reading]]:
    """Every metric, with its value at this moment."""
    yield from DAEMON_METRICS.readings(sources)
    for group in sources.groups:
        yield from group.readings(sources.watched.shown(group.part))
