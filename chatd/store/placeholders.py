"""Numbered parameters of SQL (`?1, ?2`), for statements of both databases. Pure."""

from __future__ import annotations


def numbered(count: int, first: int = 1) -> str:
    """`count` parameters, for a list of values."""
    return ", ".join(f"?{number}" for number in range(first, first + count))


def rows(count: int, columns: int) -> str:
    """`count` rows of `columns` parameters, for VALUES."""
    return ", ".join(f"({numbered(columns, 1 + row * columns)})" for row in range(count))
