"""Translates errors of SQLite and its driver into errors for senders and advice for operators. Pure."""

from __future__ import annotations

import sqlite3
from typing import Final

from .base import StoreCode, StoreError
from .guard import DisplacedError

_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OF_A_ROW: Final = frozenset({sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG})


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None for an error of the driver itself.

    https://www.sqlite.org/rescode.html#primary_result_codes_versus_extended_result_codes
    """
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def store_error(error: sqlite3.Error | ValueError | OverflowError) -> StoreError:
    """The error for the senders of a batch whose insert raised `error`.

    Errors of the driver itself (a lone surrogate, a number of more than 64 bits, a type that SQLite does not know) are
    raised before SQLite runs the statement: a row caused them.
    """
    code = primary_code(error) if isinstance(error, sqlite3.Error) else None
    if code is None or code in _OF_A_ROW:
        return StoreError(StoreCode.REJECTED, "the message cannot be stored", retry=False)
    if code in _LOCKED:
        return StoreError(StoreCode.UNAVAILABLE, "the database is locked: try again", retry=True)
    if code == sqlite3.SQLITE_FULL:
        return StoreError(StoreCode.FULL, "the disk is full: try again later", retry=True)
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(StoreCode.UNAVAILABLE, "the database is read-only: try again later", retry=True)
    if code in _DAMAGED:
        return StoreError(StoreCode.UNAVAILABLE, "the database is damaged", retry=False)
    return StoreError(StoreCode.UNAVAILABLE, "the database cannot be written: try again later", retry=True)


def lookup_error(error: sqlite3.Error) -> StoreError:
    """The error for senders whose messages could not be looked up."""
    retry = primary_code(error) not in _DAMAGED
    words = "the database cannot be read: try again later" if retry else "the database is damaged"
    return StoreError(StoreCode.UNAVAILABLE, words, retry=retry)


def advice(error: sqlite3.Error) -> str:
    """What an operator can do when a database does not open."""
    if isinstance(error, DisplacedError):
        return str(error)
    match primary_code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "it is locked by another program: stop that one"
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return f"{error}: restore a backup, or choose another --db"
        case sqlite3.SQLITE_READONLY:
            return "it is read-only: give chatd write access to the file and its directory"
        case sqlite3.SQLITE_FULL:
            return "the disk is full: make room"
        case _:
            return f"{error}: check the file, its directory and the disk"
