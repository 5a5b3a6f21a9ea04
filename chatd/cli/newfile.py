"""Creates a new file atomically, readable by its owner only. An existing file is never replaced."""

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
    """The file exists and is not overwritten; the message says what to do."""


# Suffixes of SQLite's temporary files: https://www.sqlite.org/tempfiles.html
_BESIDE: Final = ("", "-journal", "-wal", "-shm")

_ENDS: Final = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yields an empty draft beside `path`, with mode 0600. If the block succeeds, the draft gets the name `path`.

    The new file is then synced to the disk, with its name. The draft and SQLite's files beside it are always removed.
    Raises FileExistsAlreadyError, at the beginning or at the end, and OSError with `path` as its file name.
    """
    if os.path.lexists(path):
        raise _exists(path)
    with draft_beside(path) as draft:
        yield draft
        sync(draft)
        try:
            path.hardlink_to(draft)  # unlike a rename, this never replaces a file
        except FileExistsError as error:
            raise _exists(path) from error
    sync(path.parent)


@contextmanager
def draft_beside(path: Path) -> Iterator[Path]:
    """Yields an empty file with mode 0600 beside `path`; it is removed at the end, unless renamed. Raises OSError."""
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
    """In the block, SIGTERM and SIGHUP raise SystemExit, so that unfinished files are removed."""
    # A signal that is ignored, for example by nohup, stays ignored.
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
        signal.signal(other, signal.SIG_IGN)  # a second signal must not interrupt the clean-up
    raise SystemExit(128 + number)  # the exit code that shells use for signals


@contextmanager
def _named(path: Path, draft: Path) -> Iterator[None]:
    """OSErrors in the block that name the draft, or no file, name `path` instead."""
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
