"""What a mailbox of users is read with. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Secrets(NamedTuple):
    """`identity` changes with anything about the mailbox: it signs nothing."""

    password: str
    email: str
    identity: bytes
