"""Tables on a terminal, with aligned columns, also for wide and combining characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

# https://www.unicode.org/reports/tr11/
_WIDE: Final = frozenset({"W", "F"})


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first row is the header."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _width(text: str) -> int:
    """The width of `text` in columns of a terminal: wide characters take two, combining ones none."""
    return sum(2 if unicodedata.east_asian_width(one) in _WIDE else not unicodedata.combining(one) for one in text)
