"""The database as a tool sees it: to read beside a daemon, or to write where there is none."""

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

# A daemon holds its lock for as long as a commit takes.
PATIENCE_S: Final = 30.0


_INSERT: Final = """
    INSERT INTO mensajes (id, de, para, mensaje, fecha, supervisado, cid) VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING
    RETURNING id
"""

SETTINGS: Final = frozenset({"db", "db_password_file"})
"""Those that say which database, and how to get at it."""


class DataError(ChatdError):
    """Work on the data came to an end; the message says how far it got and what to do."""


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which database."""
    add_settings(parser, _says_which)


def configured(args: argparse.Namespace) -> StoreConfig:
    """Raises ConfigError."""
    return load(given_settings(args), os.environ).store


class Rows(Protocol):
    """What a statement gives."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Database(Protocol):
    """A connection to SQLite, or a session of PostgreSQL (postgres.py next door).

    Statements are what both understand, with ?1, ?2 and so on; one that begins nothing is a transaction.
    """

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows: ...

    def rollback(self) -> None: ...


@runtime_checkable
class Batches(Protocol):
    """What PostgreSQL does better than one by one."""

    def insert(self, rows: Sequence[tuple[Any, ...]]) -> list[int]: ...


def refuse_postgres(config: StoreConfig, instead: str) -> None:
    """For what only a file can do. Raises ConfigError."""
    if is_postgres(config.db):
        raise ConfigError(f"db: this is for a SQLite file; {instead}")


def insert(connection: Database, messages: Sequence[tuple[Any, ...]]) -> list[int]:
    """Store messages, but none whose id, or whose sender's cid, is there already: the ids of those that are stored.

    Raises what the database raises.
    """
    if isinstance(connection, Batches):
        return connection.insert(messages) if messages else []
    return [values[0] for values in messages if connection.execute(_INSERT, values).fetchone() is not None]


@contextmanager
def reading(config: StoreConfig) -> Iterator[Database]:
    """A connection that changes nothing; a daemon may run meanwhile, and never waits for it.

    Raises ConfigError where there is no database of ours, DataError for what the database says inside.
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
    """The same of a file alone."""
    with _opened(config) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield connection


@contextmanager
def writing(config: StoreConfig) -> Iterator[Database]:
    """A connection that takes turns with a daemon; each statement is a transaction unless BEGIN says otherwise."""
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
    """The same where no daemon may run: the database is locked against one, and made if there is none."""
    if is_postgres(config.db):
        with _session(config, owns=True) as other:
            yield other
        return
    from chatd.store.sqlite import SqliteStore  # noqa: PLC0415 - the daemon's own way to make and migrate it

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
    """After messages were deleted: their words are not left in the index of texts, if the file has one.

    PostgreSQL's VACUUM does that. Raises what the database raises.
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
        # Not mode=ro, which leaves the files of its log behind if no other process has it open.
        uri = f"{path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None)) as connection:
            _check_version(connection, path)
            close_to_others(path)
            yield connection
    except sqlite3.Error as error:
        raise DataError(f"cannot use the database {path}: {advice(error)}") from error


def require_newest(connection: Database) -> None:
    """For what needs the tables of this version, and must not change them beside a daemon. Raises ConfigError.

    A session of PostgreSQL has been asked already.
    """
    if not isinstance(connection, sqlite3.Connection):
        return
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < len(MIGRATIONS):
        raise ConfigError(
            f"the database is of an older chatd (schema {version}): start this one, which takes it to {len(MIGRATIONS)}"
        )


def _refuse_strange_root(path: Path) -> None:
    """What root makes, the daemon's own user could not open. (SQLite itself gives its files to the owner.)"""
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
