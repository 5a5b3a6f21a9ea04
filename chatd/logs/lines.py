"""The one place that limits log lines: every line at INFO and above passes it on its way to stderr.

Many lines have a client as their cause, and a client that floods must not fill a disk with them. A kind of line is its
logger, its level and its text before arguments are put in, which is a constant. Libraries put all that they know into
the text, so a library's lines of one level are one kind. Of each kind a burst is written, then so many a second. Of
those that are left out, the last one is written SILENCE_S after the first, and says how many were. So the last line of
a kind is never lost, and of a fault that ends both the beginning and the end can be read.

What the operator does is not limited: the loggers in OPERATORS write no line for a client, except through Refusals,
which has a limit of its own. DEBUG is not limited either: an operator who asks for every frame gets every frame.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Final

from chatd.base.rates import Rates

SILENCE_S: Final = 10.0

OPERATORS: Final = frozenset({"chatd", "chatd.listen", "chatd.ops", "chatd.settings.reload"})

# As many sessions as `max_connections` allows by default may open and close at once. 10 a second is 860,000 a day.
INFO_BURST: Final = 10_000
INFO_RATE: Final = 10.0

WARNING_BURST: Final = 100
WARNING_RATE: Final = 1.0

Kind = tuple[str, int, str]


class LineLimit(logging.Filter):
    """`now` is in seconds. Where no loop runs, what is left out is only counted."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self.suppressed = 0
        self._now = now
        self._infos: Rates[Kind] = Rates(INFO_RATE, INFO_BURST)
        self._warnings: Rates[Kind] = Rates(WARNING_RATE, WARNING_BURST)
        self._last: dict[Kind, logging.LogRecord] = {}
        self._left_out: dict[Kind, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written now."""
        if record.levelno < logging.INFO or record.name in OPERATORS or hasattr(record, "left_out"):
            return True
        kind = record.name, record.levelno, _text(record)
        rates = self._infos if record.levelno < logging.WARNING else self._warnings
        if kind not in self._last and not rates.take(kind, self._now()):
            return True
        self._leave_out(kind, record)
        return False

    def _leave_out(self, kind: Kind, record: logging.LogRecord) -> None:
        import asyncio  # noqa: PLC0415 - at start it must not come before cli/serve.py has made it small

        self._left_out[kind] = self._left_out.get(kind, 0) + 1
        if kind in self._last:
            self.suppressed += 1  # the one that was kept till now
            self._last[kind] = record
            return
        try:
            asyncio.get_running_loop().call_later(SILENCE_S, self.tell, kind)
        except RuntimeError:  # no loop runs
            self.suppressed += 1
        else:
            self._last[kind] = record

    def tell(self, kind: Kind) -> None:
        """Write the last suppressed line of `kind`, with the number of those before it."""
        if kind not in self._last:
            return
        record, count = self._last.pop(kind), self._left_out.pop(kind)
        record.left_out = count - 1
        logging.getLogger(record.name).handle(record)

    def tell_all(self) -> None:
        """As `tell` for every kind: the process is about to end."""
        for kind in tuple(self._last):
            self.tell(kind)


def _text(record: logging.LogRecord) -> str:
    """What lines of one kind have in common, beside their logger and level."""
    if not record.name.startswith("chatd"):
        return ""
    return str(getattr(record, "limit", record.msg))


LINES: Final = LineLimit()
"""Of this process, as loggers are."""
