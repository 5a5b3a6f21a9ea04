"""Opens the database for verbs: for reading while a daemon runs, for writing in turns with it, or alone."""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from chatd.base.errors import ChatdError, ConfigError
from chatd.cli.arguments import add_settings, given_settings
from chatd.daemon.config import load
from chatd.settings.options import Option
from chatd.store.beside import check_log, close_to_others
from chatd.store.config import StoreConfig
from chatd.store.faults import advice
from chatd.store.lock import FileLock
from chatd.store.schema import MIGRATIONS
from chatd.store.textsql import OPTIMIZE
from chatd.store.url import is_postgres

# How long to wait for SQLite's lock; a daemon holds it for the duration of a commit.
PATIENCE_S: Final = 30.0


_INSERT: Final = """
    INSERT INTO mensajes (id, de, para, mensaje, fecha, supervisado, cid) VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING
    RETURNING id
"""

SETTINGS: Final = frozenset({"db", "db_password_file"})
"""The settings that choose the database."""


class DataError(ChatdError):
    """Work on the data has failed; the message says why and what to do."""


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose the database."""
    add_settings(parser, _says_which)


def configured(args: argparse.Namespace) -> StoreConfig:
    """The settings of the store. Raises ConfigError."""
    return load(given_settings(args), os.environ).store


class Rows(Protocol):
    """The rows of a statement."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Database(Protocol):
    """A connection to SQLite, or a session of PostgreSQL (postgres.py).

    Statements are for both databases, with parameters ?1, ?2 and so on. Without BEGIN, each is a transaction.
    """

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows: ...

    def rollback(self) -> None: ...


@runtime_checkable
class Batches(Protocol):
    """A database that inserts several rows in one statement: PostgreSQL."""

    def insert(self, rows: Sequence[tuple[Any, ...]]) -> list[int]: ...


def refuse_postgres(config: StoreConfig, instead: str) -> None:
    """Raises ConfigError for PostgreSQL; for verbs that need a SQLite file. `instead`: what to do instead."""
    if is_postgres(config.db):
        raise ConfigError(f"db: this is for a SQLite file; {instead}")


def insert(connection: Database, messages: Sequence[tuple[Any, ...]]) -> list[int]:
    """Store messages, except those whose id, or whose cid of the same sender, is stored already.

    Returns the ids of the stored messages. Raises what the database raises.
    """
    if isinstance(connection, Batches):
        return connection.insert(messages) if messages else []
    return [values[0] for values in messages if connection.execute(_INSERT, values).fetchone() is not None]


@contextmanager
def reading(config: StoreConfig) -> Iterator[Database]:
    """A read-only connection. A daemon may run meanwhile, and is not delayed.

    Raises ConfigError without a database of chatd, DataError for errors of the database in the block.
    """
    if is_postgres(config.db):
        with _session(config) as other:
            other.execute("SET default_transaction_read_only = on")
            yield other
        return
    with reading_file(config) as connection:
        yield connection


@contextmanager
def reading_file(config: StoreConfig) -> Iterator[sqlite3.Connection]:
    """As `reading`, for a SQLite file."""
    with _opened(config) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield connection


@contextmanager
def writing(config: StoreConfig) -> Iterator[Database]:
    """A connection that can write while a daemon runs. Without BEGIN, each statement is a transaction."""
    if is_postgres(config.db):
        with _session(config) as other:
            yield other
        return
    with _opened(config) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # overwrite deleted rows in the file
        yield connection


@contextmanager
def owning(config: StoreConfig) -> Iterator[Database]:
    """As `writing`, with a lock that keeps daemons out. Creates the database if there is none."""
    if is_postgres(config.db):
        with _session(config, owns=True) as other:
            yield other
        return
    from chatd.store.sqlite import SqliteStore  # noqa: PLC0415 - creates and migrates the file as the daemon does

    path = Path(config.db).resolve()
    _refuse_strange_root(path)

    async def make() -> None:
        store = SqliteStore(config)
        await store.open()
        await store.close()

    asyncio.run(make())
    lock = FileLock(path)
    lock.acquire()
    try:
        with writing(config) as connection:
            yield connection
    finally:
        lock.release()


def forget_words(connection: Database) -> None:
    """After a deletion of messages, remove their words from the text index of a file, if it has one.

    For PostgreSQL, autovacuum does that. Raises what the database raises.
    """
    if not isinstance(connection, sqlite3.Connection):
        return
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'textos'").fetchone() is not None:
        connection.execute(OPTIMIZE)


def _session(config: StoreConfig, *, owns: bool = False) -> AbstractContextManager[Database]:
    from chatd.cli.postgres import session  # noqa: PLC0415 - its driver may not be installed

    return session(config, owns=owns)


@contextmanager
def _opened(config: StoreConfig) -> Iterator[sqlite3.Connection]:
    path = Path(config.db).resolve()
    check_log(path)
    if not path.is_file():
        raise ConfigError(f"there is no database {path}: name it with --db")
    try:
        # Not mode=ro: SQLite would leave the files of its log behind if no other process has the database open.
        uri = f"{path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None)) as connection:
            _check_version(connection, path)
            close_to_others(path)
            yield connection
    except sqlite3.Error as error:
        raise DataError(f"cannot use the database {path}: {advice(error)}") from error


def require_newest(connection: Database) -> None:
    """Raises ConfigError if the schema is older than this version's, which a verb must not migrate beside a daemon.

    For PostgreSQL, the session has checked it already.
    """
    if not isinstance(connection, sqlite3.Connection):
        return
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < len(MIGRATIONS):
        raise ConfigError(
            f"the database is of an older chatd (schema {version}): start this one, which takes it to {len(MIGRATIONS)}"
        )


def _refuse_strange_root(path: Path) -> None:
    """Raises ConfigError for root if the database is another user's, who could not open files that root creates.

    (SQLite gives its own files to the owner of the database.)
    """
    owner = (path if path.exists() else path.parent).stat().st_uid if path.parent.exists() else 0
    if os.geteuid() == 0 and owner != 0:
        raise ConfigError(f"{path} is of the user {owner}: run this as that one, as in sudo -u '#{owner}' chatd import")


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        raise ConfigError(f"{path} is no database of chatd's: name another with --db")
    if version > len(MIGRATIONS):
        raise ConfigError(f"{path} was written by a newer chatd (schema {version}): use that version")


def _says_which(option: Option) -> bool:
    return option.name in SETTINGS
