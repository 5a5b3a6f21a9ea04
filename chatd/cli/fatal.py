"""Reports why the daemon cannot run, in the format of its log, which programs read."""

from __future__ import annotations

import itertools
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from chatd.logs import stderr as logs

_FORMATS: Final = ("auto", "text", "json")

log = logging.getLogger("chatd")


def log_fatal(text: str, arguments: Sequence[str]) -> None:
    """Log why the daemon cannot run. At a terminal, people get one plain line."""
    log_format = _log_format(arguments, os.environ)
    if log_format != "json" and sys.stderr.isatty():
        print(f"chatd: {text}", file=sys.stderr)
        return
    if not logs.is_started():
        logs.start(logs.LogConfig(log_format=log_format))
    log.error("the daemon cannot run", extra={"cause": text})


def _log_format(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """The log format from flags and environment, because the configuration may be invalid."""
    words = [word for argument in arguments for word in argument.split("=", 1)]
    flags = [value for flag, value in itertools.pairwise(words) if flag == "--log-format"]
    wanted = flags[-1] if flags else environ.get("CHATD_LOG_FORMAT", "")
    return wanted if wanted in _FORMATS else "auto"
