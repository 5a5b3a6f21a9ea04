"""The client of the admin socket, for verbs that talk to the daemon on this machine."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Final

from chatd.base.errors import ChatdError
from chatd.cli.arguments import add_settings, given_settings
from chatd.daemon.config import load
from chatd.ops.config import admin_socket_of
from chatd.settings.options import Option

# The daemon answers within a turn of its loop, or within a commit.
PATIENCE_S: Final = 10.0

Answer = Mapping[str, Any]


class NoDaemonError(ChatdError):
    """No daemon answers; the message has the path or address."""


class RefusedHereError(ChatdError):
    """The daemon answers with an error."""


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose the daemon."""
    add_settings(parser, _names_a_daemon)


def ask(args: argparse.Namespace, **request: object) -> Answer:
    """One request, one answer. Raises ConfigError, NoDaemonError and RefusedHereError."""
    with contextlib.closing(answers(args, **request)) as lines:
        return next(lines)


def answers(args: argparse.Namespace, **request: object) -> Generator[Answer, None, None]:
    """The answer and all following lines, until the daemon closes the connection. Raises as `ask`."""
    config = load(given_settings(args), os.environ)
    yield from answers_at(admin_socket_of(config.ops, config.store.db), **request)


def answers_at(path: Path, patience_s: float = PATIENCE_S, /, **request: object) -> Generator[Answer, None, None]:
    """The answers of the daemon whose socket is at `path`. Raises NoDaemonError and RefusedHereError."""
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.settimeout(patience_s)
        try:
            daemon.connect(str(path))
        except OSError as error:
            raise NoDaemonError(_advice(path, error)) from error
        with daemon.makefile("rwb") as stream:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
            try:
                line = stream.readline()
            except TimeoutError as error:
                raise NoDaemonError(f"no daemon answers at {path} within {patience_s:g} s") from error
            first = json.loads(line or b'{"ok": false, "error": "the daemon has closed the connection"}')
            if not first["ok"]:
                raise RefusedHereError(first["error"])
            yield first
            daemon.settimeout(None)
            yield from map(json.loads, stream)


def all_answered(answer: Answer) -> bool:
    """Whether every node answered. Prints the other nodes on stderr."""
    missing = answer.get("unanswered", [])
    for node in missing:
        print(f"chatd: node {node} did not answer", file=sys.stderr)
    return not missing


def _advice(path: Path, error: OSError) -> str:
    match error:
        case FileNotFoundError() | ConnectionRefusedError():
            return f"no daemon listens at {path}: start it, or name its database with --db FILE"
        case PermissionError():
            return f"{path} is for the daemon's own user and for root: use sudo"
        case _:
            return f"cannot connect to {path}: {error.strerror or error}"


def _names_a_daemon(option: Option) -> bool:
    return option.name in {"db", "admin_socket_file"}


def printable(text: str) -> str:
    """`text` with control characters escaped, so that a message cannot add lines or move the cursor."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
