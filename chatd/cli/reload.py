"""`chatd reload`: SIGHUP with an answer, so that a service manager learns of a reload that was refused."""

from __future__ import annotations

import argparse
from typing import Final

from chatd.cli.adminsocket import add_database, ask

EPILOG: Final = """\
The same as SIGHUP: keys, deny list, certificate and the settings that are live are read again, all of them or, if
anything is wrong, none. Exit code 1 in that case, with the reason.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    answer = ask(args, verb="reload")
    print(f"reloaded: {', '.join(answer['parts'])}")
    if answer["kept"]:
        print(f"as before: {', '.join(answer['kept'])}, which systemd hands over at a start: restart for a new one")
    return 0
