"""`chatd nodes`: lists the nodes of the cluster, as the daemon on this machine knows them."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from chatd.cli.adminsocket import add_database, ask, printable
from chatd.cli.tables import print_table

EPILOG: Final = """\
state     ready; behind (it does not know the position of every node yet, or has not delivered all their messages);
          stopping; ended (it has stopped); gone (no message from it for 3 s)
up        time since its start
clients   connected sockets; users: the number of their users
heard     time since its last message
behind    the least number of messages of other nodes that it has not delivered yet
position  its position in the messages of each node, as a text (protocol.md, N-06)

* marks the node that was asked; the values of the others are as they reported them to it. Nodes that have sent nothing
since its start are not listed. Exit code 1 if the daemon runs without --bus.
"""

_COLUMNS: Final = ("node", "state", "version", "up", "clients", "users", "heard", "behind", "position")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--json", action="store_true", help="print one JSON object per line, for programs")
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
    """A duration in its two largest units."""
    for unit_s, unit, smaller_s, smaller in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= unit_s:
            return f"{seconds // unit_s} {unit} {seconds % unit_s // smaller_s} {smaller}"
    return f"{seconds} s"
