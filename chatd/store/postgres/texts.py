"""Texts as PostgreSQL can keep them: it has no U+0000, which JSON has and users send. Pure. Rule P-06.

U+0001 marks what is written otherwise. Each character is written by itself, and in the same order: so the beginning of
a text is the beginning of what is written for it, and names come in the order of SQLite.
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
