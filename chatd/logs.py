"""Log lines on stderr: text for people, JSON lines for programs.

One line per fact, never a message's text nor a token. Fields of a JSON line: `time` (UTC, ISO 8601), `level`, `logger`,
`message`, whatever the caller gave in `extra` (`sid`, `user`, `reason`, ...), and `error` with the traceback of an
exception. A text line has the same in the same order.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from chatd.loglines import LINES
from chatd.settings import setting

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
    """Log to stderr from now on. A second call replaces the first."""
    as_json = config.log_format == "json" or (config.log_format == "auto" and not sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LINES)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    # A closed stderr must not end a chat, and a record's thread and process are always the same.
    logging.raiseExceptions = False
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    set_level(config)


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
