"""History on a big table: the cost and the query plan of each question about the history, on ten million rows.

In process, on one read-only connection, like chatd's own. A case is one kind of question, asked with many
values; each value counts with its best round, which excludes the load of other programs.
Wall-clock time and CPU time of the thread are both shown. `first` is the p99 of the first round, before the
pages of that case were in any cache. The table is created once (manyrows.py), with users that are slow cases.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from bench import manyrows
from bench.manyrows import CAMPAIGN, FAITHFUL, PAIR, QUIET, STRANGER, admin_name, message_id, user_name
from bench.options import Options
from bench.report import Report
from chatd.store import conversations, history
from chatd.store.base import MessageId
from chatd.store.history import LAST_ID, Range, Statement, Towards, Viewer
from chatd.store.missed import Missed, missed_sql, missed_values

ROWS: Final = 10_000_000
VALUES: Final = 200
PAGE: Final = 51  # a page and one more row, which shows that there are more
LIMIT_MS: Final = 5.0

Cases = Mapping[str, Callable[[], Statement]]


class Cost(NamedTuple):
    """Milliseconds of one case."""

    p50: float
    p99: float
    cpu_p99: float
    first_p99: float


def run(options: Options) -> None:
    report = Report("history", ("chatd",), options.folder)
    measure(report, options.rows or ROWS, VALUES, max(2, options.rounds))


def measure(report: Report, rows: int, values: int, rounds: int) -> None:
    """Measure every case with `values` values."""
    path = manyrows.database(rows)
    uri = f"{path.as_uri()}?mode=ro"
    table = []
    with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
        for name, ask in _cases(rows, random.Random(1)).items():
            statements = [ask() for _ in range(values)]
            _explain(report, name, db, statements[0])
            cost = _cost(db, statements, rounds)
            report.add("chatd", {"question": name, "rows": rows}, {**cost._asdict(), "limit_ms": LIMIT_MS})
            table.append([name, *(f"{each:.2f}" for each in cost)])
    title = f"history: ms for one statement on {rows:,} rows, {path.stat().st_size / 1e9:.1f} GB"
    report.table(title, ["question", "p50", "p99", "p99 CPU", "p99 first"], table)
    report.write()


def _cases(rows: int, rng: random.Random) -> Cases:
    """Users are drawn by their number of messages: frequent senders are asked for often."""

    def user() -> str:
        return user_name(int(manyrows.USERS ** rng.random()) - 1)

    def admin() -> str:
        return admin_name(rng.randrange(manyrows.ADMINS))

    def then() -> int:
        return message_id(rng.randrange(rows))

    def own(who: str, con: str | None = None, span: Range | None = None) -> Statement:
        return _page(Viewer(who, is_admin=False), con, span)

    def seen(who: str, con: str, span: Range | None = None) -> Statement:
        return _page(Viewer(who, is_admin=True), con, span)

    return {
        "user, all, newest": lambda: own(user()),
        "user, all, deep": lambda: own(user(), None, Range(before=then())),
        "user, with one admin, newest": lambda: own(user(), admin()),
        "user with one message, the first of all": lambda: own(QUIET),
        "user of many words, of which one is meant": lambda: own(FAITHFUL, admin_name(1)),
        "admin, a user, newest": lambda: seen(admin(), user()),
        "admin, a user, deep": lambda: seen(admin(), user(), Range(before=then())),
        "admin, a user, forward": lambda: _forward(admin(), user(), then()),
        "admin of millions of private rows, a user": lambda: seen(CAMPAIGN, user(), Range(before=then())),
        "admin, the user with one message": lambda: seen(admin(), QUIET),
        "two admins, newest": lambda: seen(*PAIR),
        "two admins, deep": lambda: seen(*PAIR, Range(before=then())),
        "two admins, one word long ago": lambda: seen(STRANGER, PAIR[0]),
        "admin, an admin whom everybody writes to": lambda: seen(admin(), admin_name(0), Range(before=then())),
        "conversations, newest": lambda: conversations.conversations(admin(), LAST_ID, PAGE),
        "conversations, deep": lambda: conversations.conversations(admin(), then(), PAGE),
        "conversations, of the campaign": lambda: conversations.conversations(CAMPAIGN, then(), PAGE),
        "conversations, of somebody new": lambda: conversations.conversations("admin_new", LAST_ID, PAGE),
        "unread, a user": lambda: conversations.unread(Viewer(user(), is_admin=False)),
        "unread, one of an admin's": lambda: conversations.unread_with(Viewer(admin(), is_admin=True), user()),
        "last seen": lambda: history.last_seen(user()),
        "missed, a user": lambda: _missed(user(), rows - rng.randrange(rows // 10), is_admin=False),
        "missed, an admin": lambda: _missed(admin(), rows - rng.randrange(1_000), is_admin=True),
    }


def _page(viewer: Viewer, con: str | None, span: Range | None) -> Statement:
    return history.page(history.walks(viewer, con), span or Range(), Towards.PAST, PAGE)


def _forward(admin: str, con: str, after: int) -> Statement:
    return history.page(history.walks(Viewer(admin, is_admin=True), con), Range(after=after), Towards.FUTURE, PAGE)


def _missed(user: str, number: int, *, is_admin: bool) -> Statement:
    asked = Missed(user, is_admin, MessageId(message_id(number)), MessageId(LAST_ID))
    size, values = missed_values([asked], PAGE, 1_000)
    return missed_sql(size), values


def _explain(report: Report, name: str, db: sqlite3.Connection, statement: Statement) -> None:
    """The steps of the plan that read a table; how SQLite processes their rows is left out."""
    sql, values = statement
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    steps = [step for step in plan if " USING " in step or step.startswith("SCAN mensajes")]
    lines = ["", f"plan: {name}", *(f"    {step}" for step in steps)]
    print("\n".join(lines), flush=True)
    report.text += lines


def _cost(db: sqlite3.Connection, statements: Sequence[Statement], rounds: int) -> Cost:
    first: list[float] = []
    best: list[tuple[float, float]] = []
    for _ in range(rounds):
        taken = [_time(db, statement) for statement in statements]
        first = first or [wall for wall, _ in taken]
        best = [(min(a, c), min(b, d)) for (a, b), (c, d) in zip(best or taken, taken, strict=True)]
    walls, cpus = sorted(wall for wall, _ in best), sorted(cpu for _, cpu in best)
    last = len(walls) * 99 // 100
    return Cost(walls[len(walls) // 2], walls[last], cpus[last], sorted(first)[last])


def _time(db: sqlite3.Connection, statement: Statement) -> tuple[float, float]:
    """Milliseconds of the wall clock, and of this thread's CPU."""
    wall, cpu = time.perf_counter(), time.thread_time()
    db.execute(*statement).fetchall()
    return (time.perf_counter() - wall) * 1e3, (time.thread_time() - cpu) * 1e3
