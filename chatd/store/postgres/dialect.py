"""Statements that are written for both databases, in the words of PostgreSQL. Pure."""

from __future__ import annotations

import functools
import re
from typing import Final

# A hint for a planner that has no statistics.
_INDEX: Final = re.compile(r" INDEXED BY \w+")


@functools.cache
def translated(sql: str) -> str:
    """The same with $1 for ?1. Statements come from a handful of constants."""
    return _INDEX.sub("", sql).replace("BEGIN IMMEDIATE", "BEGIN").replace("?", "$")


def in_postgres(sql: str) -> str:
    """A table of SQLite in the types of PostgreSQL. Texts are compared byte by byte."""
    types = sql.replace("INTEGER", "bigint").replace("TEXT", 'text COLLATE "C"')
    return types.replace(" STRICT, WITHOUT ROWID", "").replace(" STRICT", "")
