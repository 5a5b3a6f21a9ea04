"""The database of a chat after years of use, created once in `bench/.build`. Ten million rows take some minutes.

20,000 users and 20 admins, both with a power law: a few send most. Half of the rows are messages from users to admins,
nearly half are the admins' answers, which are private; some are between admins and between users. In addition there
are users that are slow cases, named below.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench import build
from bench.rig import say
from chatd.chat.messages.ids import EPOCH_MS, NODE_BITS, SEQUENCE_BITS
from chatd.store.schema import MIGRATIONS

USERS: Final = 20_000
ADMINS: Final = 20
CHUNK: Final = 100_000
APART_MS: Final = 5_000  # between two rows: ten million of them fill a year and a half

QUIET: Final = "user_quiet"  # one message, the first of all
FAITHFUL: Final = "user_faithful"  # sends 3 % of all rows to one admin; the second of all rows to another
CAMPAIGN: Final = "admin_campaign"  # a fifth of all rows: private messages to users, one after the other
PAIR: Final = ("admin_here", "admin_there")  # exchange 2 % of all rows
STRANGER: Final = "admin_stranger"  # sent one message to the first of that pair, the third row of all
LONER: Final = "user_loner"  # sent the last 20,000 rows, without others in between
LONER_ROWS: Final = 20_000

Row = tuple[int, str, str, str, int, int]
Words = tuple[str, str, int]  # de, para, supervisado


def user_name(number: int) -> str:
    return f"user{number:05}"


def admin_name(number: int) -> str:
    return f"admin{number:02}"


def database(rows: int) -> Path:
    """The file with `rows` rows; it is created if it does not exist."""
    path = build.BUILD / f"history-{len(MIGRATIONS)}-{rows}.db"
    if not path.exists():
        build.BUILD.mkdir(exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        say(f"history: making a database of {rows:,} rows, once")
        _fill(fresh, rows)
        fresh.replace(path)
    return path


def message_id(number: int) -> int:
    """The id of row `number`, in chatd's form."""
    return (number + 1) * APART_MS << NODE_BITS + SEQUENCE_BITS


def _fill(path: Path, rows: int) -> None:
    """Insert rows first and create indexes afterwards, which takes a fraction of the time."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "threads = 2"):
            db.execute(f"PRAGMA {pragma}")
        late = []
        for statement in itertools.chain.from_iterable(MIGRATIONS):
            if "INDEX" in statement or "INSERT" in statement:
                late.append(statement)
            else:
                db.execute(statement)
        db.execute("BEGIN")
        insert = "INSERT INTO mensajes (id, de, para, mensaje, fecha, supervisado) VALUES (?, ?, ?, ?, ?, ?)"
        db.executemany(insert, itertools.islice(_rows(rows), rows))
        for statement in late:
            say(f"history: {' '.join(statement.split()[:3])}")
            db.execute(statement)
        db.executemany("INSERT INTO vistos VALUES (?, ?)", [(user_name(number), EPOCH_MS) for number in range(USERS)])
        db.executemany("INSERT INTO leidos (lector, con, hasta) VALUES (?, ?, ?)", _marks(rows))
        db.execute("COMMIT")
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("PRAGMA journal_mode = WAL")


def _marks(rows: int) -> Iterator[tuple[str, str, int]]:
    """Read marks: each admin has read half of the conversations, up to some message."""
    rng = random.Random(6)
    for admin, user in itertools.product(_ADMINS, _USERS):
        if rng.random() < 0.5:
            yield admin, user, message_id(rng.randrange(rows))


def _rows(rows: int) -> Iterator[Row]:
    rng = random.Random(5)
    texts = ["x" * max(1, int(rng.lognormvariate(3.6, 0.9))) for _ in range(2_000)]
    for number, (de, para, supervisado) in enumerate(_words(rng, rows)):
        when = EPOCH_MS + (number + 1) * APART_MS
        yield message_id(number), de, para, texts[number * 7 % 2_000], when, supervisado


def _words(rng: random.Random, rows: int) -> Iterator[Words]:
    yield QUIET, admin_name(0), 1
    yield FAITHFUL, admin_name(1), 1
    yield STRANGER, PAIR[0], 0
    left = rows - 3 - min(LONER_ROWS, rows // 10)
    while left > 0:
        chunk = _chunk(rng)[:left]
        left -= len(chunk)
        yield from chunk
    yield from itertools.repeat((LONER, admin_name(0), 1), rows)


def _chunk(rng: random.Random) -> Sequence[Words]:
    """A morning of messages of all users, then a campaign."""
    talk = CHUNK * 4 // 5
    users = rng.choices(_USERS, cum_weights=_USER_WEIGHTS, k=talk)
    admins = rng.choices(_ADMINS, cum_weights=_ADMIN_WEIGHTS, k=talk)
    words = [_said(user, admin, rng.random()) for user, admin in zip(users, admins, strict=True)]
    sent = rng.choices(_USERS, k=CHUNK - talk)
    return [*words, *((CAMPAIGN, user, 0) for user in sent)]


def _said(user: str, admin: str, dice: float) -> Words:
    if dice < 0.50:
        return user, admin, 1
    if dice < 0.92:
        return admin, user, 0
    if dice < 0.96:
        return FAITHFUL, admin_name(0), 1
    if dice < 0.985:
        return (*PAIR, 0) if dice < 0.972 else (PAIR[1], PAIR[0], 0)
    return user, _USERS[int(dice * 1e7) % USERS], 1


_USERS: Final = [user_name(number) for number in range(USERS)]
_USER_WEIGHTS: Final = list(itertools.accumulate(1 / (rank + 10) for rank in range(USERS)))
_ADMINS: Final = [admin_name(number) for number in range(ADMINS)]
_ADMIN_WEIGHTS: Final = list(itertools.accumulate(1 / (rank + 1) for rank in range(ADMINS)))
