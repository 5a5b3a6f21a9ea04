"""Ports for servers under test: chosen here, bound later by a program that needs the port as an argument.

Another process that chooses a port meanwhile must not get the same one. So each process claims a block of
ports for its whole life, by the name of an abstract Unix socket: the kernel keeps such names per network namespace,
like ports, and frees them at any end of the process.
"""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator
from typing import Final

# Below the ephemeral range: otherwise a client that reconnects while its server is down can be given
# the server's port as its own, and then connects to itself.
BLOCKS: Final = range(15_000, 32_000, 100)
_claims: list[socket.socket] = []


class PortsError(Exception):
    """Every block is claimed: too many processes run at once."""


def free_port() -> int:
    """Return a port that no program listens on, and that no other process gets from here while this one lives."""
    for port in _ports:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise PortsError(f"all {len(BLOCKS)} blocks of ports are claimed")


def _claimed_ports() -> Iterator[int]:
    for first in random.sample(BLOCKS, len(BLOCKS)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0chatd-ports-{first}")
        except OSError:
            claim.close()
        else:
            _claims.append(claim)
            yield from range(first, first + BLOCKS.step)


_ports: Final = _claimed_ports()
