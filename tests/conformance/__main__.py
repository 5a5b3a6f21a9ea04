"""Compares another Engine.IO and Socket.IO server with chatd: sends it the wire tables of this folder.

    python -m tests.conformance --url http://127.0.0.1:3000 [--path /socket.io/] [--token TOKEN]

Prints a line for each case in which the server differs, with the rule of protocol.md. Exits with 1 if there is one,
with 2 if the server cannot be reached or refuses the token.
The cases are hostile: run them only against a server of your own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.conformance.remote.run import differences
from tests.conformance.remote.target import Target


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", required=True, help="of the server, without the path")
    parser.add_argument("--path", default="/socket.io/", help="default: %(default)s")
    parser.add_argument("--token", help="for CONNECT, as {token}; where the server wants none, leave it out")
    given = parser.parse_args()
    try:
        found = asyncio.run(differences(Target.of(given.url, given.path, given.token)))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for difference in found.lines:
        print(difference)
    print(f"{found.cases} cases, {len(found.lines)} differences", file=sys.stderr)
    return 1 if found.lines else 0


if __name__ == "__main__":
    sys.exit(main())
