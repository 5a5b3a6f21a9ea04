"""Log lines on stderr: text for people, JSON lines for programs.

One line per fact, never a message's text nor a token. Fields of a JSON line: `time` (UTC, ISO 8601), `level`, `logger`,
`message`, whatever the caller gave in `extra` (`sid`, `user`, `reason`, ...), and `error` with the traceback of an
exception. A text line has the same in the same order. Where stderr is systemd's journal, each line begins with its
priority, so that `journalctl -p warning` finds warnings and errors.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

from chatd.logs.lines import LINES
from chatd.settings.setting import setting

# What a record has of itself; everything else came in `extra`.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """What is logged, and how it looks."""

    log_level: str = setting(
        "info", "least level that is logged", choices=("debug", "info", "warning", "error"), live=True
    )
    log_format: str = setting(
        "auto",
        "how a line looks: text on a terminal and json otherwise, or always one",
        choices=("auto", "text", "json"),
    )


def start(config: LogConfig) -> None:
    """Log to stderr from now on, unhandled exceptions too. A second call replaces the first."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LINES)
    handler.setFormatter(_formatter(config))
    # A closed stderr must not end a chat, and a record's thread and process are always the same.
    logging.raiseExceptions = False
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    set_level(config)
    sys.excepthook = _log_bug


def is_started() -> bool:
    return any(LINES in handler.filters for handler in logging.getLogger().handlers)


def _formatter(config: LogConfig) -> logging.Formatter:
    as_json = config.log_format == "json" or (config.log_format == "auto" and not sys.stderr.isatty())
    formatter = JsonFormatter() if as_json else TextFormatter()
    return JournalFormatter(formatter) if is_journal(sys.stderr.fileno(), os.environ) else formatter


def _log_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """In the place of Python's own lines, which are not in the format of the log."""
    logging.getLogger("chatd").critical("the daemon was ended by a bug", exc_info=(kind, error, trace))


def is_journal(fd: int, environ: Mapping[str, str]) -> bool:
    """Whether what is written to `fd` goes to systemd's journal. A redirection leaves the variable as it was.

    https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#%24JOURNAL_STREAM
    """
    try:
        opened = os.fstat(fd)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{opened.st_dev}:{opened.st_ino}"


def set_level(config: LogConfig) -> None:
    logging.getLogger("chatd").setLevel(config.log_level.upper())


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


class TextFormatter(logging.Formatter):
    """Time, level, logger, message, then `key=value`; a traceback on the lines below."""

    def format(self, record: logging.LogRecord) -> str:
        words = [_time(record), f"{record.levelname:7}", record.name, _printable(record.getMessage())]
        words += [f"{key}={_word(value)}" for key, value in _extra(record).items()]
        line = " ".join(words)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


# The levels of syslog: https://www.freedesktop.org/software/systemd/man/latest/sd-daemon.html
_PRIORITIES: Final = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


class JournalFormatter(logging.Formatter):
    """What `inner` writes, with a priority before each line: the journal makes an entry of each."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{_PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(prefix + line for line in self._inner.format(record).split("\n"))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _OWN}


def _word(value: object) -> str:
    """A value that is one word stays as it is, any other is quoted."""
    text = str(value)
    return text if text.isprintable() and text and not set(text) & set(' "=') else json.dumps(text)


def _printable(text: str) -> str:
    """What a client sent must not start a line of its own nor move a terminal's cursor."""
    return text if text.isprintable() else json.dumps(text)[1:-1]
