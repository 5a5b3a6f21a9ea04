"""Translates errors of PostgreSQL and its driver into errors for senders and advice for operators. Pure. Rule P-04."""

from __future__ import annotations

import enum
from typing import Final

from chatd.base.errors import ConfigError
from chatd.store.base import StoreCode, StoreError

from .driver import asyncpg


class Fault(enum.Enum):
    """A kind of fault: the message for senders, and the advice for operators."""

    ROW = "the message cannot be stored", "look at the row"
    TWIN = "the message is stored already: send it again to hear its id", "none: its sender asks again"
    FULL = "the disk is full: try again later", "the disk of the server is full: make room"
    LOCKED = "the database is locked: try again", "another program holds a lock: see pg_locks"
    READ_ONLY = "the database is read-only: try again later", "the server takes no writes: name the primary"
    SLOW = "the database does not answer: try again later", "the server did not answer in time: see its load"
    CROWDED = (
        "the database cannot be reached: try again later",
        "it has no connection left: raise max_connections",
    )
    LOGIN = "the database cannot be reached: try again later", "check user and password (PGPASSFILE), and pg_hba.conf"
    GRANT = "the database cannot be written: try again later", "the user may not do that: make it the database's owner"
    ABSENT = "the database cannot be reached: try again later", "create the database: createdb --encoding=UTF8"
    GONE = "the database cannot be reached: try again later", "check that the server runs, and its address"
    PARAMETER = "the database cannot be reached: try again later", "check the parameters in the URL"
    OTHER = "the database cannot be written: try again later", "see the log of the server"

    @property
    def words(self) -> str:
        """The message for senders."""
        return self.value[0]

    @property
    def remedy(self) -> str:
        """The advice for operators."""
        return self.value[1]


ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, EOFError)
"""All errors that the driver raises; its timeouts are OSErrors."""


class PlainError(Exception):
    """An error whose message is complete advice for operators."""


class ForeignError(PlainError):
    """The server is not the one that the daemon started with, or it cannot be used; the message says why."""


class RefusedValueError(Exception):
    """Logged instead of the driver's error, which quotes the value: texts of users must not be in the log."""


# https://www.postgresql.org/docs/15/errcodes-appendix.html
_STATES: Final = {
    "25006": Fault.READ_ONLY,
    "22023": Fault.PARAMETER,
    "28000": Fault.LOGIN,
    "28P01": Fault.LOGIN,
    "3D000": Fault.ABSENT,
    "3F000": Fault.ABSENT,
    "42501": Fault.GRANT,
    "42704": Fault.PARAMETER,
    "53100": Fault.FULL,
    "53300": Fault.CROWDED,
    "55P03": Fault.LOCKED,
    "57014": Fault.SLOW,
    "57P01": Fault.GONE,
    "57P02": Fault.GONE,
    "57P03": Fault.GONE,
}
_CLASSES: Final = {"08": Fault.GONE, "22": Fault.ROW, "23": Fault.ROW, "54": Fault.ROW, "40": Fault.LOCKED}

# Faults after which the connection is closed. READ_ONLY: another server may be the primary now.
_BREAKING: Final = frozenset({Fault.GONE, Fault.SLOW, Fault.READ_ONLY, Fault.LOGIN, Fault.CROWDED, Fault.ABSENT})

# Faults that an operator must correct. At a start they are configuration errors, so systemd does not restart the
# daemon.
_LASTING: Final = frozenset({Fault.LOGIN, Fault.GRANT, Fault.ABSENT, Fault.PARAMETER})

CID_INDEX: Final = "mensajes_cid"


def fault_of(error: BaseException) -> Fault:
    if isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name == CID_INDEX:
        return Fault.TWIN
    state = getattr(error, "sqlstate", None)
    if state is not None and not isinstance(error, asyncpg.InternalClientError):
        return _STATES.get(state) or _CLASSES.get(state[:2], Fault.OTHER)
    if is_of_a_value(error):
        return Fault.ROW
    if isinstance(error, TimeoutError):
        return Fault.SLOW
    if isinstance(error, OSError | EOFError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return Fault.GONE
    return Fault.OTHER


def is_of_a_value(error: BaseException) -> bool:
    """Whether the driver itself refuses a value, such as a lone surrogate or a number of more than 64 bits."""
    if isinstance(error, asyncpg.PostgresError) and getattr(error, "severity", None) is None:
        return str(error.sqlstate) == "22000"
    return isinstance(error, ValueError) and isinstance(error, asyncpg.InterfaceError)


def breaks(error: BaseException) -> bool:
    """Whether the connection cannot be used any more: it is closed, or in an unknown state."""
    return fault_of(error) in _BREAKING


def leaves_doubt(error: BaseException) -> bool:
    """Whether the statement may be committed in spite of `error`. Rule P-11."""
    return fault_of(error) is Fault.GONE or isinstance(error, TimeoutError)


def is_temporary(error: BaseException) -> bool:
    """Whether a start should try again, because the fault may end by itself."""
    return not isinstance(error, ForeignError) and fault_of(error) not in _LASTING


def cause(error: BaseException) -> BaseException:
    """`error`, or a replacement that may be logged."""
    if not is_of_a_value(error):
        return error
    return RefusedValueError(f"the driver refuses a value: {type(error.__cause__ or error).__name__}")


def store_error(error: BaseException) -> StoreError:
    """The error for the senders of a batch. If the connection broke, it is unknown whether the batch was committed."""
    match fault := fault_of(error):
        case Fault.ROW:
            return StoreError(StoreCode.REJECTED, fault.words, retry=False)
        case Fault.TWIN:
            return StoreError(StoreCode.UNAVAILABLE, fault.words, retry=True, of_a_row=True)
        case Fault.FULL:
            return StoreError(StoreCode.FULL, fault.words, retry=True)
        case _:
            return StoreError(StoreCode.UNAVAILABLE, fault.words, retry=True)


def lookup_error(error: BaseException) -> StoreError:
    """The error for callers whose query failed."""
    return StoreError(StoreCode.UNAVAILABLE, "the database cannot be read: try again later", retry=True)


def advice(error: BaseException) -> str:
    """The text for operators. It has no value of a row; no error contains the password."""
    if isinstance(error, PlainError | ConfigError):
        return str(error).removeprefix("db: ")
    said = str(cause(error)).partition("\n")[0] or type(error).__name__
    return f"{said} ({fault_of(error).remedy})"
