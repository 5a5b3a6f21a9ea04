"""The mapping of SQLite's error codes to chatd's."""

from __future__ import annotations

import sqlite3

import pytest

from chatd.store import faults
from chatd.store.base import StoreCode


def coded(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("what SQLite said")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "word", "retry"),
    [
        (sqlite3.SQLITE_BUSY, StoreCode.UNAVAILABLE, True),
        (sqlite3.SQLITE_BUSY_RECOVERY, StoreCode.UNAVAILABLE, True),
        (sqlite3.SQLITE_LOCKED, StoreCode.UNAVAILABLE, True),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreCode.UNAVAILABLE, True),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreCode.UNAVAILABLE, True),
        (sqlite3.SQLITE_CANTOPEN, StoreCode.UNAVAILABLE, True),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreCode.UNAVAILABLE, False),
        (sqlite3.SQLITE_FULL, StoreCode.FULL, True),
        (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, StoreCode.REJECTED, False),
        (sqlite3.SQLITE_TOOBIG, StoreCode.REJECTED, False),
    ],
)
def test_a_code_of_sqlite_becomes_a_store_code(code: int, word: StoreCode, retry: bool) -> None:
    error = faults.store_error(coded(code))
    assert (error.code, error.retry) == (word, retry)
    assert str(error) == error.message


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.InterfaceError("Error binding parameter 0"),
        OverflowError("Python int too large to convert to SQLite INTEGER"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
)
def test_a_value_that_the_driver_cannot_bind_is_an_error_of_its_row(
    error: sqlite3.Error | ValueError | OverflowError,
) -> None:
    assert faults.store_error(error).code is StoreCode.REJECTED


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_BUSY, "stop that one"),
        (sqlite3.SQLITE_NOTADB, "another --db"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "write access"),
        (sqlite3.SQLITE_FULL, "make room"),
        (sqlite3.SQLITE_IOERR, "what SQLite said"),
    ],
)
def test_the_log_line_says_what_to_do(code: int, words: str) -> None:
    assert words in faults.advice(coded(code))
