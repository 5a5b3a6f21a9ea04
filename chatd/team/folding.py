"""Texts as they are searched: without regard to case and accents. Pure. Rule D-05."""

from __future__ import annotations

from chatd.store.words import fold


def anywhere(text: str) -> str:
    """The pattern of LIKE, with ESCAPE '!', for what holds `text` in any part."""
    escaped = fold(text).replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
