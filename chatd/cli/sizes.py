"""The free space in a database file, and sizes as text."""

from __future__ import annotations

import sqlite3

from chatd.cli.database import Database

_MIB = 1_048_576


def free_in(connection: Database) -> int:
    """Bytes in the file that new messages can reuse; 0 for PostgreSQL."""
    if not isinstance(connection, sqlite3.Connection):
        return 0
    (pages,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


def shown(size: int) -> str:
    return f"{size / _MIB:.1f} MiB"
