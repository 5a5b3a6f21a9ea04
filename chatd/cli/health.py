"""`chatd health`: an exit code that tells whether the daemon on this machine answers, for container runtimes."""

from __future__ import annotations

import argparse
import http.client
import os
from typing import Final

from chatd.cli.adminsocket import NoDaemonError, RefusedHereError, answers_at
from chatd.cli.arguments import UsageError, add_settings, given_settings
from chatd.daemon.config import Config, load
from chatd.ops.config import admin_socket_of
from chatd.settings.options import Option

# Longer than the daemon's own probe of the database.
PATIENCE_S: Final = 5.0

EPILOG: Final = """\
Exit code 0 if the daemon answers, 1 if it does not. With --ready it must also admit clients and be able to write to its
database, as for /readyz: use this for a load balancer. A supervisor that restarts the daemon should ask without
--ready, because a restart does not repair a full disk. It asks the listener of `internal`, or without one the admin
socket, which cannot answer --ready. Give the same settings as for the daemon.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--ready", action="store_true", help="ask /readyz of the internal listener instead of /healthz")
    add_settings(parser, _finds_a_daemon)


def run(args: argparse.Namespace) -> int:
    config = load(given_settings(args), os.environ)
    print(
        _http(config, "/readyz" if args.ready else "/healthz") if config.ops.internal else _socket(config, args.ready)
    )
    return 0


def _http(config: Config, path: str) -> str:
    host, port = config.ops.internal_address
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        raise NoDaemonError(
            f"no daemon answers at {config.ops.internal}: {str(error) or type(error).__name__}"
        ) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise RefusedHereError(said)
    return said


def _socket(config: Config, ready: bool) -> str:
    if ready:
        raise UsageError("--ready asks the internal listener: name it with --internal HOST:PORT")
    next(answers_at(admin_socket_of(config.ops, config.store.db), PATIENCE_S, verb="state"))
    return "ok"


def _finds_a_daemon(option: Option) -> bool:
    return option.name in {"db", "admin_socket_file", "internal", "internal_anywhere"}
