"""Search patterns that ignore case and accents. Pure. Rule D-05."""

from __future__ import annotations

from chatd.store.words import fold


def anywhere(text: str) -> str:
    """The pattern of LIKE (with ESCAPE '!') for values that contain `text`."""
    escaped = fold(text).replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
