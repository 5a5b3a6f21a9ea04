"""Opens listening TCP sockets."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Collection, Sequence
from typing import Final

from chatd.listen.errors import ListenError

# Connections that the kernel queues while the event loop is busy.
BACKLOG: Final = 4_096

# A name may resolve to an IPv6 address on a machine without IPv6.
_NOT_HERE: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


EVERY_ADDRESS: Final = "::"

_FREE_PORT_ATTEMPTS: Final = 20
"""The kernel finds a port that is free at one address; at another, some program may have it."""

_IPV4: Final = "0.0.0.0"  # noqa: S104 - only if the operator asks for every address


def open_tcp(hosts: Sequence[str], port: int, flag: str, attempts: int = _FREE_PORT_ATTEMPTS) -> list[socket.socket]:
    """Open a socket for each address of `hosts`, all on the same port, also if `port` is 0 (a free one).

    `flag` is the option that chooses another port, for the error message; `attempts` are those to find a port that is
    free at all addresses. Raises ListenError.
    """
    opened: list[socket.socket] = []
    host = ""
    try:
        for host in hosts:
            taken = {one.getsockname()[0] for one in opened}
            opened += _open_each(host, opened[0].getsockname()[1] if opened else port, taken)
    except OSError as error:
        for one in opened:
            one.close()
        is_taken = error.errno == errno.EADDRINUSE
        if is_taken and port == 0 and attempts > 1:
            return open_tcp(hosts, port, flag, attempts - 1)
        advice = f": stop the other program, or choose another port with {flag}" if is_taken else ""
        raise ListenError(f"cannot listen on {shown(host, port)}: {error.strerror or error}{advice}") from error
    return opened


def bare(host: str) -> str:
    """`host` without the brackets of an IPv6 address in a URL."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def shown(host: str, port: int) -> str:
    return f"[{bare(host)}]:{port}" if ":" in host else f"{host}:{port}"


def addresses_of(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    """Every address that `host` resolves to. Raises OSError."""
    # For a str, getaddrinfo imports the codec `idna`, which takes 0.7 MB; ASCII does not need it.
    name = bare(host).encode() if host.isascii() else host
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses: list[tuple[socket.AddressFamily, str]] = []
    addresses += dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found)
    if (socket.AF_INET6, EVERY_ADDRESS) in addresses:
        addresses.append((socket.AF_INET, _IPV4))
    return addresses


def _open_each(host: str, port: int, taken: Collection[str]) -> list[socket.socket]:
    """Raises OSError if no address can be opened, or if one fails for another reason than those of _NOT_HERE."""
    opened: list[socket.socket] = []
    refused: OSError | None = None
    for family, address in addresses_of(host, port):
        if address in taken:
            continue
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


def _open(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    # asyncio sets TCP_NODELAY only on sockets whose protocol is IPPROTO_TCP. Without it a write waits until the client
    # acknowledges the previous one, which may take 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 gets a socket of its own
        opened.bind(address)
        opened.listen(BACKLOG)
        opened.setblocking(False)
    except OSError as error:
        opened.close()
        raise OSError(error.errno, os.strerror(error.errno or 0)) from error
    return opened
