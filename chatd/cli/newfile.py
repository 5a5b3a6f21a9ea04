"""A file that appears whole or not at all, in the place of none, for its owner's eyes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatd.errors import ChatdError


class FileExistsAlreadyError(ChatdError):
    """Nothing is overwritten; the message says what to do."""


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Gives a draft beside `path`, empty and of mode 0600, which takes the name once the body has ended well.

    Then it is on the disk, name and all. Raises FileExistsAlreadyError, at the beginning or at the end; OSError.
    """
    if os.path.lexists(path):
        raise _exists(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield draft
        _sync(draft)
        try:
            path.hardlink_to(draft)  # it never replaces, as a rename would
        except FileExistsError as error:
            raise _exists(path) from error
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)


def _exists(path: Path) -> FileExistsAlreadyError:
    return FileExistsAlreadyError(f"{path} exists, and nothing is overwritten: remove it, or choose another name")


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
