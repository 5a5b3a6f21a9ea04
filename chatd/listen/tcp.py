"""TCP sockets that listen."""

from __future__ import annotations

import errno
import os
import socket
from typing import Final

from chatd.listen.errors import ListenError

# Connections that arrive while the loop is busy; the kernel lets more of them wait for their turn.
BACKLOG: Final = 4_096

# A name may stand for an address of IPv6 on a machine that has none.
_NOT_HERE: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


def open_tcp(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of `host`, all on one port, even if `port` is 0. Raises ListenError."""
    try:
        return _open_each(host, port)
    except OSError as error:
        raise ListenError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


def _open_each(host: str, port: int) -> list[socket.socket]:
    """Raises OSError if no address can be had, or one of them for another reason than that it is not ours."""
    opened: list[socket.socket] = []
    refused: OSError | None = None
    for family, address in _addresses(host, port):
        try:
            opened.append(_open(family, (address, opened[0].getsockname()[1] if opened else port)))
        except OSError as error:
            refused = error
            if error.errno not in _NOT_HERE:
                break
    if refused is not None and (not opened or refused.errno not in _NOT_HERE):
        for one in opened:
            one.close()
        raise refused
    return opened


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    # A str would be encoded by `idna`, which takes 0.7 MB of memory to learn that ASCII stays as it is.
    name = host.encode() if host.isascii() else host
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _open(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    # asyncio sends at once (TCP_NODELAY) on sockets that name their protocol. On others a write waits for the client to
    # acknowledge the one before it, which may take 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        opened.bind(address)
        opened.listen(BACKLOG)
        opened.setblocking(False)
    except OSError as error:
        opened.close()
        raise OSError(error.errno, os.strerror(error.errno or 0)) from error
    return opened
