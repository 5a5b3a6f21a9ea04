"""A file that appears whole or not at all, in the place of none, for its owner's eyes."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

from chatd.base.errors import ChatdError


class FileExistsAlreadyError(ChatdError):
    """Nothing is overwritten; the message says what to do."""


# What SQLite keeps beside a database while it writes: https://www.sqlite.org/tempfiles.html
_BESIDE: Final = ("", "-journal", "-wal", "-shm")

_ENDS: Final = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Gives a draft beside `path`, empty and of mode 0600, which takes the name once the body has ended well.

    Then it is on the disk, name and all. Whatever happens, the draft goes, and what a database has beside it. Raises
    FileExistsAlreadyError, at the beginning or at the end; OSError, with `path` in it and not the draft.
    """
    if os.path.lexists(path):
        raise _exists(path)
    with draft_beside(path) as draft:
        yield draft
        sync(draft)
        try:
            path.hardlink_to(draft)  # it never replaces, as a rename would
        except FileExistsError as error:
            raise _exists(path) from error
    sync(path.parent)


@contextmanager
def draft_beside(path: Path) -> Iterator[Path]:
    """An empty file of mode 0600 beside `path`, which goes at the end unless it got another name. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with _ended_by_signals(), _named(path, draft):
        try:
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            yield draft
        finally:
            for end in _BESIDE:
                draft.with_name(draft.name + end).unlink(missing_ok=True)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Inside, the signals that end a process do it as Ctrl-C does: what is half done is cleaned up."""
    # One that is ignored, as by nohup, stays so.
    before = {number: signal.getsignal(number) for number in _ENDS}
    taken = [number for number, handler in before.items() if handler is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, _: object) -> NoReturn:
    for other in _ENDS:
        signal.signal(other, signal.SIG_IGN)  # a second one must not interrupt the cleaning
    raise SystemExit(128 + number)  # as a shell says it


@contextmanager
def _named(path: Path, draft: Path) -> Iterator[None]:
    """Errors name `path`, where they would name the draft or, as of a disk that is full, nothing."""
    try:
        yield
    except OSError as error:
        if error.filename not in {None, str(draft)}:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def _exists(path: Path) -> FileExistsAlreadyError:
    return FileExistsAlreadyError(f"{path} exists, and nothing is overwritten: remove it, or choose another name")


def sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
