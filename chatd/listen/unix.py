"""Opens the unix socket with its permissions, and replaces a stale socket file of a killed process."""

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

# The size of `sun_path` without its final zero byte: https://man7.org/linux/man-pages/man7/unix.7.html
MAX_PATH_BYTES: Final = 107


class UnixSocket:
    """A listening socket and its file. `remove` deletes the file, unless another socket has replaced it."""

    def __init__(self, path: Path, mode: int) -> None:
        """Raises ConfigError for an impossible path, ListenError if the system refuses to open the socket."""
        self.path = path
        check_place(path)
        try:
            self.socket = _open(path, mode)
            self._file = _identity(path)
        except OSError as error:
            raise ListenError(f"cannot listen on {path}: {error.strerror or error}") from error

    def remove(self) -> None:
        with contextlib.suppress(OSError):  # the file is removed already
            if _identity(self.path) == self._file:
                self.path.unlink()


def check_place(path: Path) -> None:
    """Return if `path` does not exist or is a socket without a listener: no other file is ever replaced.

    Raises ConfigError for an impossible path, ListenError for a path in use.
    """
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise ConfigError(f"unix: {path} is longer than {MAX_PATH_BYTES} bytes, the limit of unix sockets")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"unix: cannot use {path}: {error.strerror}") from error
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"unix: {path} exists and is no socket: remove it, or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a full queue raises BlockingIOError: the socket has a listener
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return
        except OSError as error:
            raise ListenError(f"cannot listen on {path}: it may be in use: {error.strerror}") from error
    raise ListenError(f"cannot listen on {path}: another process does: stop that one, or choose another --unix")


def _open(path: Path, mode: int) -> socket.socket:
    """Open the socket under a temporary name, set its permissions, then rename it to `path` in one step."""
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
