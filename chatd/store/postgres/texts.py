"""Texts as PostgreSQL can keep them: it has no U+0000, which JSON has and users send. Pure. Rule P-06.

U+E000, of the private use area, marks what is written otherwise. Each character is written by itself, so the beginning
of a text is the beginning of what is written for it.
"""

from __future__ import annotations

from typing import Final

_MARK: Final = "\ue000"


def encode(text: str) -> str:
    if "\0" in text or _MARK in text:
        return text.replace(_MARK, _MARK + "1").replace("\0", _MARK + "0")
    return text


def decode(text: str) -> str:
    if _MARK in text:
        return text.replace(_MARK + "0", "\0").replace(_MARK + "1", _MARK)
    return text
