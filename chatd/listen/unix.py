"""The unix socket: opened with its permissions, in the place of what a killed process left there."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.listen.errors import ListenError
from chatd.listen.tcp import BACKLOG

# https://man7.org/linux/man-pages/man7/unix.7.html: `sun_path`, with its final zero
MAX_PATH_BYTES: Final = 107


class UnixSocket:
    """A socket that listens at a path, and the path's file, which `remove` takes away if it is still this one's."""

    def __init__(self, path: Path, mode: int) -> None:
        """Raises ConfigError for a path that cannot be one, ListenError where the machine refuses."""
        self.path = path
        check_place(path)
        try:
            self.socket = _open(path, mode)
            self._file = _identity(path)
        except OSError as error:
            raise ListenError(f"cannot listen on {path}: {error.strerror or error}") from error

    def remove(self) -> None:
        with contextlib.suppress(OSError):  # it is removed already
            if _identity(self.path) == self._file:
                self.path.unlink()


def check_place(path: Path) -> None:
    """Whether `path` is free, or holds a socket without a listener. Nothing else is ever removed.

    Raises ConfigError for a path that cannot be one, ListenError for one that is in use.
    """
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise ConfigError(f"unix: {path} is longer than {MAX_PATH_BYTES} bytes, which nobody can connect to")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"unix: cannot use {path}: {error.strerror}") from error
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"unix: {path} exists and is no socket: remove it, or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a full queue is an answer too
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return
        except OSError as error:
            raise ListenError(f"cannot listen on {path}: it may be in use: {error.strerror}") from error
    raise ListenError(f"cannot listen on {path}: another process does: stop that one, or choose another --unix")


def _open(path: Path, mode: int) -> socket.socket:
    """Under another name until the permissions are right; then it takes its place, and the old one's, in one step."""
    draft = path.with_name(f".{secrets.token_hex(4)}")
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.bind(str(draft))
        draft.chmod(mode)
        opened.listen(BACKLOG)
        opened.setblocking(False)
        draft.rename(path)
    except OSError:
        opened.close()
        draft.unlink(missing_ok=True)
        raise
    return opened


def _identity(path: Path) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino
