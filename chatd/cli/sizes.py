"""How much of a database file is free, in words."""

from __future__ import annotations

import sqlite3

from chatd.cli.database import Database

_MIB = 1_048_576


def free_in(connection: Database) -> int:
    """Bytes of the file that are free for new messages; 0 for PostgreSQL, which looks after that itself."""
    if not isinstance(connection, sqlite3.Connection):
        return 0
    (pages,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


def shown(size: int) -> str:
    return f"{size / _MIB:.1f} MiB"
