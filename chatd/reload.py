"""What SIGHUP reads again: all of it or nothing, so that a slip in one file leaves a running daemon as it was."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from chatd.errors import ConfigError

log = logging.getLogger("chatd.reload")

C = TypeVar("C")

Apply = Callable[[], None]
"""Put into force what was prepared. Cannot fail."""

Prepare = Callable[[C], Apply]
"""Read and check everything that a configuration names, and change nothing. Raises ConfigError."""


class Reload(Generic[C]):
    """The parts of the daemon that can be read again, by name. `read` gives their configuration; raises ConfigError."""

    def __init__(self, read: Callable[[], C]) -> None:
        self._read = read
        self._parts: dict[str, Prepare[C]] = {}

    def add(self, name: str, prepare: Prepare[C]) -> None:
        self._parts[name] = prepare

    def run(self) -> bool:
        """Prepare all, then apply all; False if something could not be prepared, and then nothing has changed."""
        prepared: list[Apply] = []
        part = "configuration"
        try:
            config = self._read()
            for part, prepare in self._parts.items():  # noqa: B007 - for the log
                prepared.append(prepare(config))
        except ConfigError as error:
            log.error("nothing was reloaded", extra={"part": part, "cause": str(error)})
            return False
        for apply in prepared:
            apply()
        log.info("reloaded", extra={"parts": ", ".join(self._parts)})
        return True
