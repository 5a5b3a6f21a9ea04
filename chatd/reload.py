"""What SIGHUP reads again: all of it or nothing, so that a slip in one file leaves a running daemon as it was."""

from __future__ import annotations

import logging
from collections.abc import Callable

from chatd.errors import ConfigError

log = logging.getLogger("chatd.reload")

Apply = Callable[[], None]
"""Put into force what was prepared. Cannot fail."""

Prepare = Callable[[], Apply]
"""Read and check everything, and change nothing. Raises ConfigError."""


class Reload:
    """The parts of the daemon that can be read again, by name."""

    def __init__(self) -> None:
        self._parts: dict[str, Prepare] = {}

    def add(self, name: str, prepare: Prepare) -> None:
        self._parts[name] = prepare

    def run(self) -> bool:
        """Prepare all, then apply all; False if something could not be prepared, and then nothing has changed."""
        prepared: list[Apply] = []
        for name, prepare in self._parts.items():
            try:
                prepared.append(prepare())
            except ConfigError as error:
                log.error("nothing was reloaded", extra={"part": name, "cause": str(error)})
                return False
        for apply in prepared:
            apply()
        log.info("reloaded", extra={"parts": ", ".join(self._parts)})
        return True
