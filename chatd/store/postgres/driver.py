"""Imports the driver, an optional dependency. Raises ConfigError if it is not installed."""

from __future__ import annotations

from chatd.base.errors import ConfigError

try:
    import asyncpg
except ImportError as error:
    raise ConfigError(
        "db: PostgreSQL needs the package asyncpg: pip install 'chatd[cluster]', or let --db name a file"
    ) from error

__all__ = ["asyncpg"]
