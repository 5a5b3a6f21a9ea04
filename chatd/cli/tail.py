"""`chatd tail`: prints the messages that every admin sees, as they arrive."""

from __future__ import annotations

import argparse
import json
import os
import sys
import zlib
from datetime import datetime
from typing import Final

from chatd.cli.adminsocket import Answer, add_database, answers, printable

EPILOG: Final = """\
Prints the messages of users, which every admin sees; not those of admins to users. Ends with Ctrl-C, or when the daemon
stops. NO_COLOR in the environment, or a pipe, turns colours off.
"""

# Colours that are readable on black and on white.
_COLOURS: Final = (31, 32, 33, 34, 35, 36)
_DIM: Final = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--json", action="store_true", help="print one JSON object per line, for programs")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    messages = answers(args, verb="tail")
    next(messages)
    for message in messages:
        print(json.dumps(message) if args.json else line(message, coloured=coloured), flush=True)
    print("chatd: the daemon has closed the connection", file=sys.stderr)
    return 1


def line(message: Answer, *, coloured: bool) -> str:
    """A message as text: local time, sender, recipient, text. A user always has the same colour."""
    when = datetime.fromtimestamp(message["fecha"] / 1000).astimezone().strftime("%H:%M:%S")
    author, reader, text = (printable(message[key]) for key in ("de", "para", "mensaje"))
    if not coloured:
        return f"{when} {author} > {reader}: {text}"
    return f"{_in(_DIM, when)} {_in(_of(author), author)} > {_in(_of(reader), reader)}: {text}"


def _of(user: str) -> int:
    return _COLOURS[zlib.crc32(user.encode()) % len(_COLOURS)]


def _in(colour: int, text: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"
