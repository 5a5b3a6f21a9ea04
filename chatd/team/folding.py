"""Texts as they are searched: without regard to case and accents. Pure. Rule D-05."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """`text` as it is compared: "José" and "JOSE\\u0301" are the same."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def anywhere(text: str) -> str:
    """The pattern of LIKE, with ESCAPE '!', for what holds `text` in any part."""
    escaped = fold(text).replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
