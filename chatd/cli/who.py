"""`chatd who`: lists the users connected to the daemon on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Final

from chatd.cli.adminsocket import add_database, all_answered, ask, printable
from chatd.cli.tables import print_table

EPILOG: Final = """\
One line for each socket; three tabs of a browser are three sockets. Exit code 1 if no user is connected, for scripts.
With several nodes, it lists the users of all; exit code 1 also if a node did not answer, which stderr names. Run it as
the daemon's own user, or as root.
"""

_COLUMNS: Final = ("user", "name", "rol", "transport", "address", "sid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--json", action="store_true", help="print one JSON object per line, for programs")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    answer = ask(args, verb="who")
    people: list[dict[str, Any]] = sorted(answer["people"], key=lambda one: (_cell(one, "user"), _cell(one, "sid")))
    if args.json:
        for one in people:
            print(json.dumps(one))
    elif people:
        columns = [*_COLUMNS, "node"] if "unanswered" in answer else _COLUMNS
        print_table([columns, *[[printable(_cell(one, column)) for column in columns] for one in people]])
    else:
        print("chatd: nobody is connected", file=sys.stderr)
    return 0 if all_answered(answer) and people else 1


def _cell(one: dict[str, Any], column: str) -> str:
    """A field of a socket; empty if a node of another version does not send it."""
    return str(one.get(column, ""))
