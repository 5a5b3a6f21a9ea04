"""Connecting to PostgreSQL: address, user and settings of the session. Rules P-02, P-03 and P-05.

URL and environment variables (PGPASSWORD, PGPASSFILE and others, read by the driver) are those of libpq. The URL is
never logged, because it may hold secrets such as `sslpassword`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from chatd.base.errors import ConfigError
from chatd.settings.passwords import read_password
from chatd.store.config import StoreConfig

from .driver import asyncpg
from .faults import ForeignError

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Connection

SCHEMA: Final = "chatd"

MIN_VERSION: Final = 130_000

# The server cancels a slow statement itself (statement_timeout). If it does not answer, the driver gives up this much
# later.
SPARE_S: Final = 1.0

CONNECT_S: Final = 5.0

# The server detects a dead client machine within half a minute, and releases its lock.
_ALIVE: Final = {"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}

# Every query has an index with its rows in order, so it needs to read only as many entries as it returns. The planner
# does not know how the messages of one user are spread over the table, and may choose to read and filter all messages.
# These settings prevent that: page reads have no cost for the planner, only the number of entries counts.
_ALONG_INDEXES: Final = {
    "plan_cache_mode": "force_generic_plan",
    "random_page_cost": "0",
    "seq_page_cost": "0",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "default_transaction_read_only": "on",
}

_ABOUT: Final = """
    SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
        current_setting('synchronous_commit') AS synchronous, pg_is_in_recovery() AS follows,
        current_setting('transaction_read_only') = 'on' AS read_only
"""


# Different for each server and each start of it.
_SERVER: Final = "SELECT pg_postmaster_start_time()"


class Connector:
    """Makes connections to one database. Raises errors of the driver, ForeignError and ConfigError."""

    def __init__(self, config: StoreConfig) -> None:
        self._url = config.db
        self._password_file = config.db_password_file
        self._normal = config.synchronous == "normal"
        self._patience_s = config.db_timeout_s + SPARE_S
        self._settings = {
            "application_name": "chatd",
            "search_path": SCHEMA,
            "jit": "off",
            "statement_timeout": _ms(config.db_timeout_s),
            "lock_timeout": _ms(config.busy_timeout_s),
            **_ALIVE,
        }

    async def reader(self) -> Connection:
        """A session that only reads."""
        return await self._connect(self._settings | _ALONG_INDEXES, self._patience_s)

    async def tool(self) -> Connection:
        """A session without a statement timeout, for tools."""
        connection = await self._connect(self._settings | {"statement_timeout": "0"}, None)
        try:
            await self._make_safe(connection, await connection.fetchval("SHOW synchronous_commit"))
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def writer(self) -> Connection:
        """A session that can write, on a primary server."""
        connection = await self._connect(self._settings, self._patience_s)
        try:
            about = await connection.fetchrow(_ABOUT)
            _check(about)
            await self._make_safe(connection, about["synchronous"])
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _connect(self, settings: Mapping[str, str], patience_s: float | None) -> Connection:
        """`patience_s`: the timeout in seconds of statements without a timeout of their own."""
        password = read_password(self._password_file, "db_password_file")  # at each connection: it may have changed
        try:
            return await asyncpg.connect(
                self._url,
                password=password,
                timeout=CONNECT_S,
                command_timeout=patience_s,
                target_session_attrs="any",  # overrides the URL: see _check, and _connect_reader of store.py
                server_settings=dict(settings),
            )
        except OSError:  # before ValueError, which some OSErrors are too: an untrusted certificate
            raise
        except ValueError as error:  # its message quotes a part of the URL, which may be part of a password
            raise ConfigError(
                "db: the driver does not understand the URL, or a variable PG...: check its port and its parameters"
            ) from error

    async def _make_safe(self, connection: Connection, found: str) -> None:
        if (level := self._synchronous(found)) is not None:
            await connection.execute(f"SET synchronous_commit = {level}")

    def _synchronous(self, found: str) -> str | None:
        """The value to set for synchronous_commit, None to leave it. A server that waits for replicas still does."""
        if self._normal:
            return "off"
        return "on" if found == "off" else None


async def server_of(connection: Connection) -> datetime:
    """An identifier of the session's server that no other server has."""
    started: datetime = await connection.fetchval(_SERVER)
    return started


def _check(about: Mapping[str, object]) -> None:
    if about["encoding"] != "UTF8":
        raise ForeignError(f"the database has the encoding {about['encoding']}: create it with --encoding=UTF8")
    if int(str(about["version"])) < MIN_VERSION:
        raise ForeignError("the server is older than PostgreSQL 13")
    if about["follows"] or about["read_only"]:
        what = "a standby" if about["follows"] else "read-only"
        raise asyncpg.ReadOnlySQLTransactionError(f"the server is {what}")


def _ms(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))
