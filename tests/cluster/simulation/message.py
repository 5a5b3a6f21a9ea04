"""The message of the simulation."""

from __future__ import annotations

import msgspec


class Said(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A message for the client with that number, and for clients that get every message."""

    id: int
    to: int
