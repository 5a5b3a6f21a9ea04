"""Real clients of every transport behind the proxy of three nodes, and their message load."""

from __future__ import annotations

from typing import Final

from bench.cluster.people import Person, Writes
from tests.interop.chat import token
from tests.interop.conftest import TRANSPORTS

CLIENT: Final = "socket.io-client-4.8"
NODES: Final = (1, 2, 3)
EVERY_MS: Final = 100
ACK_TIMEOUT_MS: Final = 2_000  # shorter than a node is suspended: messages are resent, to this node and to others
QUIET_S: Final = 20.0

RECONNECTS: Final = {"reconnectionDelay": 50, "reconnectionDelayMax": 200, "timeout": 2_000}
FLAGS: Final = ("--recovery", "on", "--payload", "full", "--trusted-proxy", "127.0.0.1")


def _person(user: str, rol: str, transports: str, writes: Writes | None = None) -> Person:
    return Person(user, rol, token(user, rol), {**TRANSPORTS[transports], **RECONNECTS}, writes)


def people() -> list[Person]:
    """Admins with every transport, users who write to an admin, an admin who writes to a user with three sockets."""
    crew = [_person(f"admin{number}", "admin", each) for number in NODES for each in TRANSPORTS]
    crew += [_person("ana", "user", each) for each in TRANSPORTS]
    crew += [_person(f"user {each}", "user", each, Writes("admin1", EVERY_MS)) for each in TRANSPORTS]
    return [*crew, _person("boss", "admin", "default", Writes("ana", EVERY_MS))]
