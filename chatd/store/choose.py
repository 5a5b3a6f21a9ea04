"""Which store a configuration asks for. An engine is imported only when it is chosen."""

# ruff: noqa: PLC0415

from __future__ import annotations

from .base import Store
from .config import StoreConfig
from .url import is_postgres


def make_store(config: StoreConfig) -> Store:
    """The store that `db` names, not opened yet. Raises ConfigError where its driver is not installed.

    One that several nodes share is made by chatd/chat/nodes.
    """
    if is_postgres(config.db):
        from .postgres.store import PostgresStore

        return PostgresStore(config)
    from .sqlite import SqliteStore

    return SqliteStore(config)
