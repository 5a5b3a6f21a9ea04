"""Escapes texts for PostgreSQL, which cannot store U+0000; JSON can hold it, and users send it. Pure. Rule P-06.

U+0001 starts an escape sequence. Characters are escaped one by one and keep their order, so prefixes of texts stay
prefixes, and names sort as in SQLite.
"""

from __future__ import annotations


def encode(text: str) -> str:
    if "\0" in text or "\1" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text


def decode(text: str) -> str:
    if "\1" in text:
        return text.replace("\1\1", "\0").replace("\1\2", "\1")
    return text
