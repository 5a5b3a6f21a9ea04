"""Makes the store of a configuration. The module of a database is imported only when it is chosen."""

# ruff: noqa: PLC0415

from __future__ import annotations

from .base import Store
from .config import StoreConfig
from .url import is_postgres


def make_store(config: StoreConfig) -> Store:
    """The store for `db`, not opened yet. Raises ConfigError if its driver is not installed.

    The store of several nodes is made by chatd/chat/nodes.
    """
    if is_postgres(config.db):
        from .postgres.store import PostgresStore

        return PostgresStore(config)
    from .sqlite import SqliteStore

    return SqliteStore(config)
