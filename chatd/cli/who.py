"""`chatd who`: who is connected to the daemon on this machine."""

from __future__ import annotations

import argparse
import json
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from chatd.cli.adminsocket import add_database, ask, printable

EPILOG: Final = """\
One line for each socket: three tabs of a browser are three. Exit code 1 if nobody is connected, so that a script can
ask. Needs to be the daemon's own user, or root.
"""

# https://www.unicode.org/reports/tr11/
_WIDE: Final = frozenset({"W", "F"})

_COLUMNS: Final = ("user", "name", "rol", "transport", "address", "sid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    people: list[dict[str, Any]] = sorted(ask(args, verb="who")["people"], key=lambda one: (one["user"], one["sid"]))
    if args.json:
        for one in people:
            print(json.dumps(one))
    elif people:
        _print_table([_COLUMNS, *[tuple(printable(str(one[column])) for column in _COLUMNS) for one in people]])
    return 0 if people else 1


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _width(text: str) -> int:
    """In columns of a terminal, where a wide character takes two and one that combines none."""
    return sum(2 if unicodedata.east_asian_width(one) in _WIDE else not unicodedata.combining(one) for one in text)
