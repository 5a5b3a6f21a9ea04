"""`chatd reload`: like SIGHUP, but with a result, so that a service manager notices a refused reload."""

from __future__ import annotations

import argparse
from typing import Final

from chatd.cli.adminsocket import add_database, ask

EPILOG: Final = """\
The same as SIGHUP: keys, deny list, certificate and all settings marked as live are read again. If anything is wrong,
nothing is changed; the exit code is 1, and stderr has the reason.
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
