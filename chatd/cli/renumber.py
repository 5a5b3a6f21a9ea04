"""`chatd renumber`: new ids for messages whose ids are far ahead of the clock, while no daemon runs.

A wrong clock or an import can leave such ids, and all later messages get greater ids. `renumber` gives these messages
ids of the time at which they were written, in the same order, and moves read marks with them, in one transaction.
Clients with an old id as their position load the history again.
"""

from __future__ import annotations

import argparse
import bisect
import time
from collections.abc import Sequence

from chatd.chat.messages.ids import AHEAD_MS, IdSource, first_id_of
from chatd.cli.database import Database, add_database, configured, owning
from chatd.cli.progress import Progress
from chatd.store.base import MessageId
from chatd.store.pruning import FORGET_LIST


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    with owning(configured(args)) as connection:
        count = renumber(connection, round(time.time() * 1000))
    print(f"{count} messages have new ids")
    return 0


def renumber(connection: Database, now_ms: int) -> int:
    """Renumber in one transaction. Returns the number of changed messages. Raises what the database raises."""
    bound = first_id_of(now_ms + AHEAD_MS)
    connection.execute("BEGIN IMMEDIATE")
    try:
        (last,) = connection.execute("SELECT max(id) FROM mensajes WHERE id < ?1", (bound,)).fetchone()
        ahead = connection.execute("SELECT id, fecha FROM mensajes WHERE id >= ?1 ORDER BY id", (bound,)).fetchall()
        old = [number for number, _ in ahead]
        new = _ids(last, [min(fecha, now_ms) for _, fecha in ahead])
        with Progress("renumbering") as bar:
            for done, pair in enumerate(zip(new, old, strict=True)):
                # In this order each new id is free: it is less than all remaining old ids.
                connection.execute("UPDATE mensajes SET id = ?1 WHERE id = ?2", pair)
                bar.show(done / len(old))
        _move_marks(connection, bound, old, [last or MessageId(0), *new])
        connection.execute(FORGET_LIST)  # the next start rebuilds it
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return len(ahead)


def _ids(last: MessageId | None, times_ms: Sequence[int]) -> list[MessageId]:
    """Growing ids for these times, greater than `last`."""
    clock = iter(times_ms)
    source = IdSource(lambda: next(clock), 0, last)
    return [source.next() for _ in times_ms]


def _move_marks(connection: Database, bound: MessageId, old: Sequence[int], new: Sequence[MessageId]) -> None:
    """Move read marks from old ids to new ones. `new` starts with the id before all renumbered messages."""
    for mark in ("hasta", "vuelta"):
        found = f"SELECT lector, con, {mark} FROM leidos WHERE {mark} >= ?1"  # noqa: S608 - only constants are inserted
        move = f"UPDATE leidos SET {mark} = ?1 WHERE lector = ?2 AND con = ?3"  # noqa: S608
        for reader, con, upto in connection.execute(found, (bound,)).fetchall():
            connection.execute(move, (new[bisect.bisect_right(old, upto)], reader, con))
