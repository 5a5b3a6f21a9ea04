"""How far a reader is in the log of messages, as a text. Pure. Rule A-20.

One daemon has one log, whose ids grow: a position is the id of the last message. Of several nodes each has its own:
a position has the last id of each, since a node may commit a message whose id is smaller than that of another node.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

WHOLE: Final = -1
"""In the place of a node's number, where there is one log."""

Position = dict[int, int]
"""The last id that was read of each node, or of the WHOLE."""

_PART: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,19})")
_ID: Final = re.compile(r"[0-9]{1,19}")
MAX_PARTS: Final = 1_024


def encode(position: Mapping[int, int]) -> str:
    if WHOLE in position:
        return str(position[WHOLE])
    return "-".join(f"{node}.{last}" for node, last in sorted(position.items())) or "0"


def decode(text: str) -> Position | None:
    """The position in a text; None if it is none. A plain id is a position in every log."""
    if _ID.fullmatch(text):
        return {WHOLE: int(text)}
    parts = [_PART.fullmatch(part) for part in text.split("-", MAX_PARTS)]
    found = {int(part[1]): int(part[2]) for part in parts if part is not None}
    return found if len(found) == len(parts) <= MAX_PARTS else None
