"""`chatd serve`: the daemon."""

from __future__ import annotations

import argparse
import functools
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from chatd.auth.deny import load_deny_list
from chatd.auth.keys import load_keys
from chatd.base.lean import absent, hollow
from chatd.cli.arguments import add_settings, given_settings
from chatd.cli.exposed import exposed
from chatd.daemon.config import Config, load, speaks_tls
from chatd.logs import stderr as logs
from chatd.logs.lines import LINES

if TYPE_CHECKING:
    from chatd.web.entries import Entries

log = logging.getLogger("chatd")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    read = functools.partial(load, given_settings(args), os.environ)
    return start(read(), read=read)


def start(
    config: Config,
    *,
    read: Callable[[], Config] | None = None,
    entries: Entries | None = None,
    announce: Callable[[int], None] | None = None,
) -> int:
    """Serve until a signal ends it. Raises ConfigError before anything is opened.

    With `read`, SIGHUP does not end the daemon: `read` returns the new configuration, whose live settings are applied.
    `entries`: links into the console, if it is served. `announce` is called with the TCP port once it is open.
    """
    load_keys(config.auth)
    load_deny_list(config.auth)
    os.umask(0o077)
    logs.start(config.log)
    for text in exposed(config):
        log.warning("a file is open to others", extra={"cause": text})
    if speaks_tls(config):
        import ssl  # noqa: F401, PLC0415 - asyncio imports it only if it is loaded already
    # asyncio imports ssl (4 MB) if it can; websockets imports importlib.metadata (1.5 MB), which chatd does not need.
    with absent("ssl"), hollow("importlib.metadata"):
        from chatd.daemon.app import run as run_daemon  # noqa: PLC0415 - only after the checks above

    try:
        return run_daemon(config, read=read, entries=entries, announce=announce)
    finally:
        LINES.tell_all()
