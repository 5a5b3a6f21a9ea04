"""`chatd kick USER`: end the connections of a user."""

from __future__ import annotations

import argparse
from typing import Final

from chatd.cli.adminsocket import add_database, all_answered, ask, printable

EPILOG: Final = """\
The user's clients reconnect by themselves. To lock a user out, add the line user:NAME to the deny file first
(--deny-file of the daemon), and send the daemon SIGHUP: that ends the connections too. With several nodes, this ends
the connections to all of them. Exit code 1 if the user was not connected, or if a node did not answer; stderr names
that node, where connections may still be open.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("user", metavar="USER", help="the claim user of the tokens")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    answer = ask(args, verb="kick", user=args.user)
    sessions = int(answer["sessions"])
    print(f"{sessions} connection{'' if sessions == 1 else 's'} of {printable(args.user)} ended")
    return 0 if all_answered(answer) and sessions else 1
