"""Reads the rows of kept.py from a database page by page, and stores them in batches."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from chatd.cli import kept
from chatd.cli.database import Database
from chatd.store import placeholders
from chatd.team.names import searched

PAGE_ROWS: Final = 1_000

BATCH_ROWS: Final = 500
"""Rows of one statement. With eleven columns each, far below SQLite's limit of 32,766 parameters."""

Values: TypeAlias = tuple[int | str | None, ...]


def all_kept(connection: Database) -> Iterator[kept.Row]:
    """Every row of every table, page by page. Raises what the database raises."""
    for table in kept.TABLES:
        above: Values = ()
        while page := connection.execute(_page(table, first=not above), above).fetchall():
            for values in page:
                yield _row(table, values)
            above = _key(table, page[-1])


class Batch:
    """Stores rows, several at a time. Every call raises what the database raises."""

    def __init__(self, connection: Database) -> None:
        self.added = 0  # rows that were not there already
        self._connection = connection
        self._rows: dict[Values, kept.Row] = {}
        self._table: type[kept.Row] | None = None

    def add(self, row: kept.Row) -> None:
        key = tuple(getattr(row, name) for name in row.KEY)
        # A statement has rows of one table only, and each key only once.
        if type(row) is not self._table or key in self._rows or len(self._rows) == BATCH_ROWS:
            self.store()
        self._table = type(row)
        self._rows[key] = row

    def store(self) -> None:
        """Store the rows that were added so far."""
        if self._table is not None and self._rows:
            values = [value for row in self._rows.values() for value in _values(row)]
            self.added += len(self._connection.execute(_insert(self._table, len(self._rows)), values).fetchall())
        self._rows = {}


def _row(table: type[kept.Row], values: Sequence[Any]) -> kept.Row:
    ids = kept.ids_of(table)
    pairs = zip(table.__struct_fields__, values, strict=True)
    return table(**{name: str(value) if name in ids and value is not None else value for name, value in pairs})


def _values(row: kept.Row) -> list[int | str | None]:
    ids = kept.ids_of(type(row))
    values = [(name, getattr(row, name)) for name in row.__struct_fields__]
    found = [int(value) if name in ids and value is not None else value for name, value in values]
    return [*found, searched(row.quien, row.nombre)] if isinstance(row, kept.Name) else found


def _key(table: type[kept.Row], values: Sequence[Any]) -> Values:
    return tuple(values[table.__struct_fields__.index(name)] for name in table.KEY)


def _name(table: type[kept.Row]) -> str:
    return str(table.__struct_config__.tag)


def _list(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)  # quoted, because `user` is a keyword of SQL


# Only names of tables and columns, and numbers, are inserted into these texts.


@functools.cache
def _page(table: type[kept.Row], *, first: bool) -> str:
    key = _list(table.KEY)
    beyond = "" if first else f"WHERE ({key}) > ({placeholders.numbered(len(table.KEY))})"
    columns = _list(table.__struct_fields__)
    return f"SELECT {columns} FROM {_name(table)} {beyond} ORDER BY {key} LIMIT {PAGE_ROWS}"  # noqa: S608


@functools.cache
def _insert(table: type[kept.Row], rows: int) -> str:
    columns = (*table.__struct_fields__, "clave") if table is kept.Name else table.__struct_fields__
    values = placeholders.rows(rows, len(columns))
    merged = "NOTHING" if table.MERGED is None else f"UPDATE SET {table.MERGED}"
    return (
        f"INSERT INTO {_name(table)} ({_list(columns)}) VALUES {values} "  # noqa: S608
        f"ON CONFLICT ({_list(table.KEY)}) DO {merged} RETURNING 1"
    )
