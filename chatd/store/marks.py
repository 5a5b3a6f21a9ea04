"""What moves forward only: how far somebody has read, and when somebody was last seen.

One row for each reader and conversation, and for each user. A batch is one statement, as in sqlite.py, with one row
for each key: of several marks that wait, the one that lies furthest.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from .base import ReadMark, SeenMark

MAX_MARKS = 10_000
"""Marks of each kind that may wait for the disk."""

Statement = tuple[str, list[int | str | None]]


def read_upsert(marks: Sequence[ReadMark]) -> Statement:
    """The statement that stores `marks`, and its parameters."""
    furthest: dict[tuple[str, str], int] = {}
    for lector, con, hasta in marks:
        furthest[lector, con] = max(hasta, furthest.get((lector, con), hasta))
    return _upsert("leidos", ("lector", "con"), "hasta", [(*key, hasta) for key, hasta in furthest.items()])


def seen_upsert(marks: Sequence[SeenMark]) -> Statement:
    """The statement that stores `marks`, and its parameters."""
    latest: dict[str, int] = {}
    for user, fecha in marks:
        latest[user] = max(fecha, latest.get(user, fecha))
    return _upsert("vistos", ("user",), "fecha", list(latest.items()))


def weigh_mark(mark: ReadMark | SeenMark) -> int:
    """What a mark counts against the bound on bytes: its texts are short, and the bound on marks is enough."""
    return 0


def _upsert(table: str, key: tuple[str, ...], value: str, rows: Sequence[tuple[int | str, ...]]) -> Statement:
    size = 1 << (len(rows) - 1).bit_length()
    values: list[int | str | None] = [each for row in rows for each in row]
    values += [0] * ((len(key) + 1) * (size - len(rows)))
    values.append(len(rows))
    return _upsert_sql(table, key, value, size), values


@functools.cache
def _upsert_sql(table: str, key: tuple[str, ...], value: str, size: int) -> str:
    """For up to `size` rows; the last parameter says how many. WHERE is there because ON could belong to a join."""
    rows = ",".join([f"({','.join('?' * (len(key) + 1))})"] * size)
    # Only names of ours and question marks are put into the text.
    return f"""
        INSERT INTO {table} ({",".join(key)}, {value}) SELECT * FROM (VALUES {rows}) WHERE true LIMIT ?
        ON CONFLICT ({",".join(key)}) DO UPDATE SET {value} = excluded.{value} WHERE excluded.{value} > {value}
    """  # noqa: S608
