"""How far a client says it has come, as a vector. Pure. Rules N-06 and N-08."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatd.chat.messages.ids import parse_id
from chatd.cluster.core.position import PositionError, decode
from chatd.cluster.core.vector import MS_SHIFT, Vector, first_of, latest_of
from chatd.store.config import LATEST_COMMIT_MS

AHEAD_MS: Final = 60_000
"""A position that is further ahead of the clock, and of all that was applied, is of another database."""


def parse_position(value: object, applied: Mapping[int, int], now: int) -> Vector | None:
    """The vector in a position's text; of a plain id, one that is early enough. None for anything else.

    `applied` is how far the node is: of an origin that it does not know, it cannot say what is missing. `now` is an id
    of this moment: a node that has just started may be far behind others that said nothing for long.
    """
    plain = parse_id(value)
    if plain is not None:
        early = max(0, plain - (LATEST_COMMIT_MS << MS_SHIFT))
        return {origin: min(upto, max(first_of(origin), latest_of(origin, early))) for origin, upto in applied.items()}
    try:
        vector = decode(value)
    except PositionError:
        return None
    latest = max(now, *applied.values()) + (AHEAD_MS << MS_SHIFT)
    if all(origin in applied and upto <= latest for origin, upto in vector.items()):
        return vector
    return None
