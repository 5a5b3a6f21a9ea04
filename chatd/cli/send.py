"""`chatd send --to USER TEXT`: a message from an operator."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from chatd.cli.adminsocket import add_database, ask, printable

EPILOG: Final = """\
Only that user sees it, as with every message of an admin; a user who is offline finds it in the history. Prints the id
once the message is on the disk. Without TEXT, or with -, the text is read from stdin.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--to", required=True, metavar="USER", help="the recipient")
    parser.add_argument(
        "--from", dest="author", default="admin", metavar="NAME", help="the admin who sends it (default admin)"
    )
    parser.add_argument("text", metavar="TEXT", nargs="?", default="-", help="the text of the message")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    text = sys.stdin.read().rstrip("\n") if args.text == "-" else args.text
    answer = ask(args, verb="send", to=args.to, text=text, **{"from": args.author})
    print(answer["id"])
    if all(one["user"] != args.to for one in ask(args, verb="who")["people"]):
        print(f"chatd: {printable(args.to)} is away: it waits in the history", file=sys.stderr)
    return 0
