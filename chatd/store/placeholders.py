"""Numbered parameters of SQL, as both databases are asked: `?1, ?2`. Pure."""

from __future__ import annotations


def numbered(count: int, first: int = 1) -> str:
    """`count` of them, for a list of values in the text of a statement."""
    return ", ".join(f"?{number}" for number in range(first, first + count))


def rows(count: int, columns: int) -> str:
    """`count` rows of them, for VALUES."""
    return ", ".join(f"({numbered(columns, 1 + row * columns)})" for row in range(count))
