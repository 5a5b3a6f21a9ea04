"""A session of PostgreSQL for verbs, with the interface of a connection to SQLite. Rules P-08 to P-10."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from chatd.base.errors import ConfigError
from chatd.cli.database import DataError
from chatd.store.config import StoreConfig
from chatd.store.postgres import faults, lock
from chatd.store.postgres.connecting import Connector
from chatd.store.postgres.dialect import translated
from chatd.store.postgres.schema import MIGRATIONS, version_of
from chatd.store.postgres.store import INSERT, PostgresStore, UnreachableError
from chatd.store.postgres.texts import decode, encode

if TYPE_CHECKING:
    from asyncpg import Connection

_INSERT: Final = f"{INSERT} ON CONFLICT DO NOTHING RETURNING id"


class Result:
    """The rows of a statement, with the methods of a cursor."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)


class Session:
    """One connection and its event loop."""

    def __init__(self, runner: asyncio.Runner, connection: Connection) -> None:
        self._runner = runner
        self._connection = connection

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Result:
        """Run a statement in SQL of both databases. Raises what the driver raises."""
        rows = self._runner.run(self._connection.fetch(translated(sql), *map(_encoded, values)))
        return Result([tuple(decode(each) if isinstance(each, str) else each for each in row) for row in rows])

    def insert(self, rows: Sequence[tuple[Any, ...]]) -> list[int]:
        """Store messages whose id and cid are new. Returns their ids."""
        columns = [list(map(_encoded, column)) for column in zip(*rows, strict=True)]
        return [row[0] for row in self._runner.run(self._connection.fetch(_INSERT, *columns))]

    def rollback(self) -> None:
        self._runner.run(self._connection.execute("ROLLBACK"))


@contextmanager
def session(config: StoreConfig, *, owns: bool = False) -> Iterator[Session]:
    """A session. With `owns`, it keeps daemons out, and creates the tables if there are none.

    Raises ConfigError without a database of chatd, DataError for errors of the server in the block.
    """
    with asyncio.Runner() as runner:
        if owns:
            runner.run(_make(config))
        try:
            connection = runner.run(_connect(config, owns=owns))
        except (*faults.ERRORS, faults.ForeignError) as error:
            raise ConfigError(f"db: cannot use the database: {faults.advice(error)}") from error
        except lock.HeldError as error:
            raise ConfigError(f"db: cannot use the database: {error}") from error
        try:
            yield Session(runner, connection)
        except faults.ERRORS as error:
            if isinstance(error, OSError) and not connection.is_closed():
                raise  # an error of a file, not of the server
            raise DataError(f"cannot use the database: {faults.advice(error)}") from error
        finally:
            connection.terminate()


async def _make(config: StoreConfig) -> None:
    store = PostgresStore(config, held_s=0.0)
    try:
        await store.open()
    except UnreachableError as error:
        raise ConfigError(str(error)) from error
    await store.close()


async def _connect(config: StoreConfig, *, owns: bool) -> Connection:
    connection = await Connector(config).tool()
    try:
        version = await version_of(connection)
        if version == 0:
            raise ConfigError("db: the database has no tables of chatd's: start chatd, which makes them, or import")
        if version > len(MIGRATIONS):
            raise ConfigError(f"db: the database was written by a newer chatd (schema {version}): use that version")
        if version < len(MIGRATIONS):
            raise ConfigError(f"db: the database is of an older chatd (schema {version}): start this one")
        if owns:
            await lock.take(connection, None)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _encoded(value: Any) -> Any:
    return encode(value) if isinstance(value, str) else value
