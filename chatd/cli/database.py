"""The database as a tool sees it: to read beside a daemon, or to write where there is none."""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from chatd.cli.arguments import add_settings, given_settings
from chatd.config import load
from chatd.errors import ChatdError, ConfigError
from chatd.options import Option
from chatd.store.beside import check_log, close_to_others
from chatd.store.config import StoreConfig
from chatd.store.faults import advice
from chatd.store.lock import FileLock
from chatd.store.schema import MIGRATIONS

# A daemon holds its lock for as long as a commit takes.
PATIENCE_S: Final = 30.0


class DataError(ChatdError):
    """Work on the data came to an end; the message says how far it got and what to do."""


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which database."""
    add_settings(parser, _says_which)


def configured(args: argparse.Namespace) -> StoreConfig:
    """Raises ConfigError."""
    return load(given_settings(args), os.environ).store


@contextmanager
def reading(config: StoreConfig) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing; a daemon may run meanwhile, and never waits for it.

    Raises ConfigError where there is no database of ours, DataError for what SQLite says inside.
    """
    with _opened(config) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield connection


@contextmanager
def writing(config: StoreConfig) -> Iterator[sqlite3.Connection]:
    """A connection that takes turns with a daemon; each statement is a transaction unless BEGIN says otherwise."""
    with _opened(config) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted cannot be read in the file
        yield connection


@contextmanager
def owning(config: StoreConfig) -> Iterator[sqlite3.Connection]:
    """The same where no daemon may run: the database is locked against one, and made if there is none."""
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


@contextmanager
def _opened(config: StoreConfig) -> Iterator[sqlite3.Connection]:
    path = Path(config.db).resolve()
    check_log(path)
    if not path.is_file():
        raise ConfigError(f"there is no database {path}: name it with --db")
    try:
        # Not mode=ro, which leaves the files of its log behind where nobody else has it open.
        uri = f"{path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None)) as connection:
            _check_version(connection, path)
            close_to_others(path)
            yield connection
    except sqlite3.Error as error:
        raise DataError(f"cannot use the database {path}: {advice(error)}") from error


def require_newest(connection: sqlite3.Connection) -> None:
    """For what needs the tables of this version, and must not change them beside a daemon. Raises ConfigError."""
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
    return option.name == "db"
