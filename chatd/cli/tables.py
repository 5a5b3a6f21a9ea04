"""Tables on a terminal, with columns that are aligned whatever the script."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

# https://www.unicode.org/reports/tr11/
_WIDE: Final = frozenset({"W", "F"})


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """The first row is the head."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _width(text: str) -> int:
    """In columns of a terminal, where a wide character takes two and one that combines none."""
    return sum(2 if unicodedata.east_asian_width(one) in _WIDE else not unicodedata.combining(one) for one in text)
