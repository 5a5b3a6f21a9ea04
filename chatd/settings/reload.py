"""What SIGHUP reads again: all of it or nothing, so that a slip in one file leaves a running daemon as it was."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from chatd.base.errors import ConfigError

log = logging.getLogger("chatd.settings.reload")

C = TypeVar("C")

Apply = Callable[[], None]
"""Applies the prepared settings. Cannot fail."""

Prepare = Callable[[C], Apply]
"""Read and check everything that a configuration names, and change nothing. Raises ConfigError."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """Of a reload: the parts that were read again and those that cannot have changed, or why nothing was done."""

    parts: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    fault: str | None = None


class Reload(Generic[C]):
    """The parts of the daemon that can be read again, by name. `read` gives their configuration; raises ConfigError."""

    def __init__(self, read: Callable[[], C]) -> None:
        self.last = Outcome()
        self._read = read
        self._parts: dict[str, Prepare[C]] = {}
        self._keeps: dict[str, Callable[[C], bool]] = {}

    def add(self, name: str, prepare: Prepare[C], keeps: Callable[[C], bool] | None = None) -> None:
        """`keeps` says whether the files of that part are the same until a restart."""
        self._parts[name] = prepare
        if keeps is not None:
            self._keeps[name] = keeps

    def run(self) -> Outcome:
        """Prepare all, then apply all; if something cannot be prepared, nothing has changed."""
        self.last = self._run()
        return self.last

    def _run(self) -> Outcome:
        prepared: list[Apply] = []
        part = "configuration"
        try:
            config = self._read()
            for part, prepare in self._parts.items():  # noqa: B007 - for the log
                prepared.append(prepare(config))
        except ConfigError as error:
            log.error("nothing was reloaded", extra={"part": part, "cause": str(error)})
            return Outcome(fault=str(error))
        for apply in prepared:
            apply()
        kept = tuple(name for name, keeps in self._keeps.items() if keeps(config))
        parts = tuple(name for name in self._parts if name not in kept)
        log.info("reloaded", extra={"parts": ", ".join(parts), **({"kept": ", ".join(kept)} if kept else {})})
        return Outcome(parts, kept)
