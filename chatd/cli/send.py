"""`chatd send --to USER TEXT`: a message from an operator."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from chatd.cli.adminsocket import add_database, ask, printable

EPILOG: Final = """\
The user alone sees it, as with every message of an admin, and it waits in the history of a user who is away. Prints the
id once the message is on the disk. Without TEXT, or with -, the text is read from stdin.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--to", required=True, metavar="USER", help="who it is for")
    parser.add_argument(
        "--from", dest="author", default="admin", metavar="NAME", help="which admin it comes from (default admin)"
    )
    parser.add_argument("text", metavar="TEXT", nargs="?", default="-", help="what it says")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    text = sys.stdin.read().rstrip("\n") if args.text == "-" else args.text
    answer = ask(args, verb="send", to=args.to, text=text, **{"from": args.author})
    print(answer["id"])
    if all(one["user"] != args.to for one in ask(args, verb="who")["people"]):
        print(f"chatd: {printable(args.to)} is away: it waits in the history", file=sys.stderr)
    return 0
