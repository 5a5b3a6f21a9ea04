"""The result of a check."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from chatd.base.errors import ChatdError


class Level(enum.Enum):
    """ERROR: chatd does not start, or should not."""

    OK, WARNING, ERROR = "ok", "warning", "error"


class Finding(NamedTuple):
    """`subject`: a setting or a group of settings; `text`: one line."""

    level: Level
    subject: str
    text: str


class Findings(list[Finding]):
    """A list of findings."""

    def ok(self, subject: str, text: str) -> None:
        self.append(Finding(Level.OK, subject, text))

    def warning(self, subject: str, text: str) -> None:
        self.append(Finding(Level.WARNING, subject, text))

    def error(self, subject: str, text: str) -> None:
        self.append(Finding(Level.ERROR, subject, text))

    @contextmanager
    def refused_as(self, subject: str) -> Iterator[None]:
        """Turn a ChatdError in the block, with which the daemon would not start, into a finding."""
        try:
            yield
        except ChatdError as error:
            self.error(subject, str(error).removeprefix(f"{subject}: "))
