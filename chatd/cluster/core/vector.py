"""Vectors: the position of a reader, by origin: `{origin: id}`. Pure functions on mappings.

An id is a 63-bit integer: milliseconds (41 bits), origin (10), sequence (12), as chat/messages/ids.py makes it. The
entry of an origin is always an id of that origin, but not always the id of a message: see `latest_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

SEQUENCE_BITS: Final = 12
ORIGIN_BITS: Final = 10
MS_SHIFT: Final = ORIGIN_BITS + SEQUENCE_BITS
MAX_ORIGIN: Final = 2**ORIGIN_BITS - 1
MAX_SEQUENCE: Final = 2**SEQUENCE_BITS - 1
MAX_ID: Final = 2**63 - 1

MAX_ORIGINS: Final = 64
"""Entries in one vector. It is sent to every client with every message, so it must be short."""

Vector = dict[int, int]


class Identified(Protocol):
    """A message; this package needs only its id."""

    @property
    def id(self) -> int: ...


def origin_of(message_id: int) -> int:
    """The number of the node that made an id."""
    return message_id >> SEQUENCE_BITS & MAX_ORIGIN


def first_of(origin: int) -> int:
    """The smallest id of `origin`: a reader at this position has no message of it."""
    return origin << SEQUENCE_BITS


def latest_of(origin: int, upto: int) -> int:
    """The greatest id of `origin` not above `upto`, an id of any origin; `first_of(origin)` if there is none."""
    if origin_of(upto) == origin:
        return upto
    latest = upto >> MS_SHIFT << MS_SHIFT | origin << SEQUENCE_BITS | MAX_SEQUENCE
    return latest if latest < upto else max(first_of(origin), latest - (1 << MS_SHIFT))


def joined(one: Mapping[int, int], other: Mapping[int, int]) -> Vector:
    """The greater entry of both vectors for each origin."""
    vector = dict(one)
    for origin, upto in other.items():
        if vector.get(origin, -1) < upto:
            vector[origin] = upto
    return vector


def covers(vector: Mapping[int, int], other: Mapping[int, int]) -> bool:
    """Whether `vector` is at least as far as `other` with each origin in `other`."""
    return all(vector.get(origin, -1) >= upto for origin, upto in other.items())
