"""The position of a reader in the log of messages, as text. Pure. Rule A-20.

A single daemon has one log with growing ids: a position is the id of the last message. With several nodes, each node
has its own log, and a position has the last id of each: a node may commit a message with a smaller id than another
node's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

WHOLE: Final = -1
"""The key of the log of a single daemon, in place of a node's number."""

Position = dict[int, int]
"""The last id that was read, by node, or under WHOLE."""

_PART: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,19})")
_ID: Final = re.compile(r"[0-9]{1,19}")
MAX_PARTS: Final = 1_024


def encode(position: Mapping[int, int]) -> str:
    if WHOLE in position:
        return str(position[WHOLE])
    return "-".join(f"{node}.{last}" for node, last in sorted(position.items())) or "0"


def decode(text: str) -> Position | None:
    """The position in `text`; None if it is invalid. A plain id is a position in the log WHOLE."""
    if _ID.fullmatch(text):
        return {WHOLE: int(text)}
    parts = [_PART.fullmatch(part) for part in text.split("-", MAX_PARTS)]
    found = {int(part[1]): int(part[2]) for part in parts if part is not None}
    return found if len(found) == len(parts) <= MAX_PARTS else None
