"""`chatd serve`: the daemon."""

from __future__ import annotations

import argparse
import os

from chatd import logs
from chatd.auth.keys import load_keys
from chatd.cli.arguments import add_settings, given_settings
from chatd.config import Config, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    return start(load(given_settings(args), os.environ))


def start(config: Config) -> int:
    """Serve until a signal ends it. Raises ConfigError before anything is opened."""
    load_keys(config.auth)
    logs.start(config.log)
    from chatd.app import run as run_daemon  # noqa: PLC0415 - after everything that may still be refused

    return run_daemon(config)
