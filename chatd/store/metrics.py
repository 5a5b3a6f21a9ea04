"""Metrics of the store: waits, commits, the database."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from chatd.base.histogram import Histogram
from chatd.base.metric import Group, Kind, Metric

if TYPE_CHECKING:
    from chatd.store.base import Store

COUNTER, GAUGE, HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM


def _known(value: int | None) -> float:
    """NaN for an unknown value. Comparisons with NaN are false in Prometheus, so no alert fires."""
    return math.nan if value is None else float(value)


STORE_METRICS: Final[Group[Store]] = Group("store", (
    Metric(
        "chatd_acknowledgement_seconds",
        HISTOGRAM,
        "Seconds from a message's arrival at the store until it is durable or has failed; then its sender is told.",
        "p99 over 0.1: the disk is slow (compare chatd_commit_seconds) or the loop is (chatd_loop_lag_seconds).",
        lambda store: store.counters.answer_s,
        off=Histogram(()),
    ),
    Metric(
        "chatd_commit_seconds",
        HISTOGRAM,
        "Duration of the commit of a batch, with its write to the disk.",
        "p50 over 0.02: the disk shares its queue with something else. `synchronous` must stay FULL if an "
        "acknowledgement is to survive a power cut.",
        lambda store: store.counters.commit_s,
        off=Histogram(()),
    ),
    Metric(
        "chatd_commit_rows",
        HISTOGRAM,
        "Messages in one commit.",
        "Grows with the load: normal. Always 1024: the disk is the limit.",
        lambda store: store.counters.batch_rows,
        off=Histogram(()),
    ),
    Metric(
        "chatd_stored_total",
        COUNTER,
        "Messages that were stored durably.",
        "Below chatd_messages_sent_total for long: messages are delivered and not stored; see the next two rows.",
        lambda store: float(store.counters.rows),
    ),
    Metric(
        "chatd_store_failures_total",
        COUNTER,
        "Messages that could not be stored; their senders were told.",
        "Any growth: the log says what the database answered. Disk full, read-only, or locked by another program.",
        lambda store: float(store.counters.failures),
    ),
    Metric(
        "chatd_store_refused_total",
        COUNTER,
        "Messages that were refused because the queue to the database was full.",
        "Any growth: the disk does not keep up; see chatd_commit_seconds.",
        lambda store: float(store.counters.refused),
    ),
    Metric(
        "chatd_store_free_bytes",
        GAUGE,
        "Free bytes on the disk of the database; NaN with PostgreSQL, whose disk chatd cannot see.",
        "Falls towards `min_free`: below that, messages are refused. Free disk space, or lower `retention`.",
        lambda store: _known(store.free_bytes),
    ),
    Metric(
        "chatd_store_bytes",
        GAUGE,
        "Size of the database (PostgreSQL: as its server reports once a minute); NaN until it is known.",
        "Grows without end: set `retention`, and see `chatd prune` and `chatd vacuum`. Does not shrink after a "
        "deletion: free pages are reused, and only `chatd vacuum` returns them to the disk.",
        lambda store: _known(None if (used := store.used) is None else used.database_bytes),
    ),
    Metric(
        "chatd_store_log_bytes",
        GAUGE,
        "Size of SQLite's write-ahead log, the file that ends in -wal; NaN with PostgreSQL.",
        "Above 256 MiB for minutes: a backup or another program keeps a read transaction open, so SQLite cannot "
        "checkpoint the log.",
        lambda store: _known(None if (used := store.used) is None else used.log_bytes),
    ),
    Metric(
        "chatd_store_displaced",
        GAUGE,
        "1 when the file of the database or of its log was removed, replaced or overwritten after it was opened.",
        "1: no message is stored, and senders are told; the log names the file. Restart chatd.",
        lambda store: float(store.displaced),
    ),
    Metric(
        "chatd_store_waiting",
        GAUGE,
        "Messages and queries that wait for the database.",
        "Grows for minutes: the disk is too slow or hangs. A few hundred for a moment are normal: one batch.",
        lambda store: float(store.waiting),
    ),
    Metric(
        "chatd_deleted_total",
        COUNTER,
        "Messages that retention has deleted, because they were older than `retention` days.",
        "Jumps right after a start: check the clock and `retention`. Only a backup still has the deleted messages.",
        lambda store: float(store.counters.deleted),
    ),
    Metric(
        "chatd_retention_waits",
        GAUGE,
        "1 while retention deletes nothing, because the clock is far ahead of the latest time in the database.",
        "1: set the clock, or if it is right, confirm it with `chatd clock --trust`; `chatd clock` shows both times.",
        lambda store: float(store.counters.retention_waits),
    ),
))  # fmt: skip
