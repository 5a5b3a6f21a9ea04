"""Counts how often each limit was reached, and logs it at a limited rate.

One count for each limit of a floor, by the name that the operator knows. A client that hits limits on purpose does so
thousands of times a second, and must not fill a disk with it: the log gets the first of a kind, then at most one in
SILENCE_S, with the count.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable
from typing import Final, Generic, TypeVar

SILENCE_S: Final = 10.0

Limit = TypeVar("Limit", bound=enum.StrEnum)


class Refusals(Generic[Limit]):
    """`counts` has every limit of `limits` from the start. `now` is in seconds."""

    __slots__ = ("_log", "_now", "_silent_until", "counts")

    def __init__(self, limits: type[Limit], now: Callable[[], float], log: logging.Logger) -> None:
        self.counts: dict[Limit, int] = dict.fromkeys(limits, 0)
        self._now = now
        self._log = log
        self._silent_until: dict[Limit, float] = {}

    def add(self, limit: Limit, why: str, **about: object) -> None:
        """Count one; `why` and `about` are for the log, and no message's text nor a token."""
        self.counts[limit] += 1
        now = self._now()
        if now >= self._silent_until.get(limit, now):
            self._silent_until[limit] = now + SILENCE_S
            extra = {"limit": limit.value, "refused": self.counts[limit], **about}
            self._log.warning("%s", why, extra=extra)
