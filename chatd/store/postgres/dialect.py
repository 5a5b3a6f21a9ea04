"""Translates statements that are written for both databases to PostgreSQL. Pure."""

from __future__ import annotations

import functools
import re
from typing import Final

# A hint for SQLite's planner, which has no statistics.
_INDEX: Final = re.compile(r" INDEXED BY \w+")


@functools.cache
def translated(sql: str) -> str:
    """`sql` with $1 for ?1 and without hints. The cache stays small: statements are constants."""
    return _INDEX.sub("", sql).replace("BEGIN IMMEDIATE", "BEGIN").replace("?", "$")


def in_postgres(sql: str) -> str:
    """A CREATE TABLE of SQLite with the types of PostgreSQL. Texts are compared by bytes, as in SQLite."""
    types = sql.replace("INTEGER", "bigint").replace("TEXT", 'text COLLATE "C"')
    return types.replace(" STRICT, WITHOUT ROWID", "").replace(" STRICT", "")
