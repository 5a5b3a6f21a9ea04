"""Socket activation: listening sockets that another process, usually systemd, has opened and passed on.

They stay open while the daemon restarts. Clients that connect meanwhile wait in the kernel's queue for the new process.
https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from typing import Final, NamedTuple

from chatd.base.errors import ConfigError

FIRST_FD: Final = 3

TLS: Final = "tls"
"""The FileDescriptorName of a socket for TLS."""

_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


class Inherited(NamedTuple):
    """A listening socket and its FileDescriptorName."""

    name: str
    socket: socket.socket


def inherited_sockets(environ: MutableMapping[str, str]) -> list[Inherited]:
    """The sockets passed to this process. Removes the variables from `environ`. Raises ConfigError."""
    pid, count, names = (environ.pop(name, "") for name in _VARIABLES)
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    found = names.split(":") if names else []
    found += [""] * (int(count) - len(found))
    return [Inherited(found[number], _take(FIRST_FD + number)) for number in range(int(count))]


def _take(fd: int) -> socket.socket:
    try:
        os.set_inheritable(fd, False)
        taken = socket.socket(fileno=fd)
        listens = taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise ConfigError(f"LISTEN_FDS: descriptor {fd} is no socket: {error.strerror}") from error
    if not listens or taken.type is not socket.SOCK_STREAM:
        raise ConfigError(
            f"LISTEN_FDS: descriptor {fd} is no stream socket that listens: write ListenStream=, Accept=no"
        )
    taken.setblocking(False)
    return taken
