"""`chatd types`: prints the events of protocol.md as a declaration file for TypeScript. Rule C-85."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from typing import Final

EPILOG: Final = """\
Save it beside your code as chatd.d.ts:
  import type { ClientToServerEvents, ServerToClientEvents } from "./chatd";
  const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url);
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG


def run(_: argparse.Namespace) -> int:
    sys.stdout.write(files("chatd.web").joinpath("chatd.d.ts").read_text(encoding="utf-8"))
    return 0
