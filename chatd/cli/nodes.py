"""`chatd nodes`: the nodes of this chat, as the daemon on this machine knows them."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from chatd.cli.adminsocket import add_database, ask, printable
from chatd.cli.tables import print_table

EPILOG: Final = """\
state     ready; behind (it has not heard how far the others are, or is not as far); stopping; ended (it has said
          goodbye); gone (it was not heard for 3 s)
up        for how long it has been running
clients   sockets; users: how many people they are of
heard     how long ago it was last heard
behind    messages of other nodes that it knows of and has not delivered yet, at least
position  how far it has come with each node, as a text (protocol.md, N-06)

* marks the node that was asked: what it says of the others is what it has heard from them. Nodes that it has not heard
since its own start are not listed. Exit code 1 where the daemon is not one of several.
"""

_COLUMNS: Final = ("node", "state", "version", "up", "clients", "users", "heard", "behind", "position")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    nodes: list[dict[str, Any]] = ask(args, verb="nodes")["nodes"]
    if args.json:
        for one in nodes:
            print(json.dumps(one))
    else:
        print_table([_COLUMNS, *map(_row, nodes)])
    return 0


def _row(one: dict[str, Any]) -> list[str]:
    return [
        f"{one['node']}{'*' if one['asked'] else ''}",
        one["state"],
        printable(one["version"]),
        _duration(one["up_s"]),
        str(one["clients"]),
        str(one["users"]),
        "" if one["asked"] else f"{one['silent_s']:.1f} s ago",
        str(one["behind"]),
        printable(one["position"]),
    ]


def _duration(seconds: int) -> str:
    """Its two largest units."""
    for unit_s, unit, smaller_s, smaller in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= unit_s:
            return f"{seconds // unit_s} {unit} {seconds % unit_s // smaller_s} {smaller}"
    return f"{seconds} s"
