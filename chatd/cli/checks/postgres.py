"""Checks a PostgreSQL database: it can be reached, is one of chatd, has a known version and durable settings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from chatd.base.errors import ConfigError
from chatd.chat.messages.ids import is_in_reserve
from chatd.cli.checks.finding import Findings
from chatd.store.base import MessageId
from chatd.store.config import StoreConfig

if TYPE_CHECKING:
    from asyncpg import Connection

# If one of these settings of the server is off, an acknowledged message may be lost in a power cut.
_SAFE: Final = ("fsync", "full_page_writes")


def check_postgres(config: StoreConfig, findings: Findings) -> None:
    """Changes nothing; a daemon may run meanwhile."""
    try:
        from chatd.store.postgres import faults  # noqa: PLC0415 - its driver may not be installed
    except ConfigError as error:
        findings.error("db", str(error).removeprefix("db: "))
        return
    try:
        asyncio.run(_look(config, findings))
    except (*faults.ERRORS, faults.ForeignError, ConfigError) as error:
        findings.error("db", f"cannot use the database: {faults.advice(error)}")


async def _look(config: StoreConfig, findings: Findings) -> None:
    from chatd.store.postgres import lock  # noqa: PLC0415
    from chatd.store.postgres.connecting import Connector  # noqa: PLC0415
    from chatd.store.postgres.schema import version_of  # noqa: PLC0415

    connection = await Connector(config).writer()
    try:
        holder = await lock.holder(connection)
        used = "no daemon runs on it" if holder is None else f"in use by process {holder} of the server"
        version = await version_of(connection)
        _tell(version, await connection.fetchval("SHOW server_version"), used, findings)
        await _check_safety(connection, findings)
        if version:
            greatest = MessageId(await connection.fetchval("SELECT coalesce(max(id), 0) FROM mensajes"))
            if is_in_reserve(greatest):
                text = f"the database has a message with the id {greatest}, and few ids are greater, or none"
                findings.error("db", f"{text}: stop the daemon, and run chatd renumber")
    finally:
        connection.terminate()


def _tell(version: int, server: str, used: str, findings: Findings) -> None:
    from chatd.store.postgres.schema import MIGRATIONS  # noqa: PLC0415

    about = f"PostgreSQL {server}"
    if version > len(MIGRATIONS):
        text = f"{about}: written by a newer chatd: schema {version}, this one knows {len(MIGRATIONS)}"
        findings.error("db", text)
    elif version == 0:
        findings.ok("db", f"{about}: no tables yet; a start creates them")
    elif version < len(MIGRATIONS):
        text = f"{about}: schema {version}; a start takes it to {len(MIGRATIONS)}, so make a dump; {used}"
        findings.warning("db", text)
    else:
        findings.ok("db", f"{about}: schema {version}, {used}")


async def _check_safety(connection: Connection, findings: Findings) -> None:
    for name in _SAFE:
        if await connection.fetchval("SELECT current_setting($1)", name) == "off":
            findings.warning("db", f"the server runs with {name} = off: a power cut destroys what was acknowledged")
