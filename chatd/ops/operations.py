"""All that operators meet, in the order in which it starts and stops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chatd.ops.config import OpsConfig
from chatd.ops.lag import LoopLag
from chatd.ops.metric import Sources
from chatd.ops.readiness import ReadinessGate
from chatd.ops.watched import Counts, Watched

if TYPE_CHECKING:
    from chatd.ops.internal import InternalListener


class Operations:
    """Silent until `start`, and after `close`. Where the daemon is in its life is told through `gate`."""

    def __init__(self, config: OpsConfig, db: Path) -> None:
        self.gate = ReadinessGate()
        self._config = config
        self._db = db
        self._lag = LoopLag()
        self._watched: Watched | None = None
        self._internal: InternalListener | None = None

    def watch(self, watched: Watched) -> None:
        """Open what the configuration asks for. Raises ListenError."""
        self._watched = watched
        if self._config.internal:
            from chatd.ops.internal import InternalListener  # noqa: PLC0415 - 1.5 MB, for those who want it

            sources = Sources(watched=watched, lag=self._lag, gate=self.gate)
            self._internal = InternalListener(*self._config.internal_address, sources)

    def also_refuses(self, who: str, counts: Counts) -> None:
        """See Watched.refusals."""
        if self._watched is not None:
            self._watched.refusals[who] = counts

    def start(self) -> None:
        if self._internal is not None:
            self._lag.start()
            self._internal.start()

    async def close(self) -> None:
        """Idempotent."""
        self._lag.stop()
        internal, self._internal = self._internal, None
        if internal is not None:
            await internal.close()
