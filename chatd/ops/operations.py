"""What serves operators (systemd, admin socket, internal listener), as a part of the daemon."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from chatd.base.errors import ChatdError
from chatd.base.metric import Group
from chatd.base.part import Part
from chatd.ops import log
from chatd.ops.admin import AdminSocket
from chatd.ops.config import OpsConfig, admin_socket_of
from chatd.ops.lag import LoopLag
from chatd.ops.notify import Notifier
from chatd.ops.readiness import Readiness, ReadinessGate
from chatd.ops.sources import Sources
from chatd.ops.watched import Watched
from chatd.settings.reload import Outcome, Reload

if TYPE_CHECKING:
    from chatd.ops.internal import InternalListener


class Operations:
    """Its part answers from start to close. `gate` has the state of the daemon: starting, ready or stopping."""

    def __init__(self, config: OpsConfig, db: str, environ: MutableMapping[str, str], reload: Reload[Any]) -> None:
        """Removes systemd's variables from `environ`, so that child processes do not inherit them."""
        self.gate = ReadinessGate()
        self._systemd = Notifier(environ)
        self._config = config
        self._db = db
        self._reload = reload
        self._lag = LoopLag()
        self._watched: Watched | None = None
        self._admin: AdminSocket | None = None
        self._internal: InternalListener | None = None

    def part(self, watched: Watched, groups: Sequence[Group[Any]]) -> Part:
        """Open the configured listeners. Raises ListenError."""
        self._watched = watched
        if self._config.internal:
            from chatd.ops.internal import InternalListener  # noqa: PLC0415 - 1.5 MB, loaded only when used

            self._internal = InternalListener(*self._config.internal_address, self.sources(watched, groups))

        if self._config.admin_socket:
            self._open_admin_socket(watched)
        return Part(start=self._start, stopping=self._stopping, close=self._close)

    def sources(self, watched: Watched, groups: Sequence[Group[Any]]) -> Sources:
        """The objects that metrics read; `groups` are the metrics of parts."""
        return Sources(watched=watched, lag=self._lag, gate=self.gate, reload=self._reload, groups=groups)

    def ready(self) -> None:
        """Clients are admitted from now on."""
        self.gate.state = Readiness.READY
        self._systemd.ready(self._status)

    def reload(self) -> Outcome:
        """Reload the settings, and report the start and the end to systemd."""
        self._systemd.reloading()
        outcome = self._reload.run()
        self._systemd.reloaded()
        return outcome

    @property
    def reload_fault(self) -> str | None:
        """Why the last reload was refused; None if it was done, or there was none."""
        return self._reload.last.fault

    # Internals.

    async def _start(self) -> None:
        if self._admin is not None:
            await self._admin.start()
        if self._internal is not None:
            self._lag.start()
            self._internal.start()

    def _stopping(self) -> None:
        """/readyz answers 503 from now on."""
        self.gate.state = Readiness.STOPPING
        self._systemd.stopping("sending clients away")

    async def _close(self) -> None:
        self._systemd.close()
        self._lag.stop()
        admin, self._admin = self._admin, None
        if admin is not None:
            admin.close()
        internal, self._internal = self._internal, None
        if internal is not None:
            await internal.close()

    def _open_admin_socket(self, watched: Watched) -> None:
        """The daemon runs without the admin socket if it cannot be opened, for example because its path is too long."""
        try:
            self._admin = AdminSocket(admin_socket_of(self._config, self._db), watched.desk, self)
        except ChatdError as error:
            log.warning("there is no admin socket", extra={"cause": str(error)})

    def _status(self) -> str:
        """The line that `systemctl status` shows."""
        if self._watched is None:
            return ""
        sessions = len(self._watched.engine.sessions)
        fault = self.reload_fault
        refused = "" if fault is None else f"the last reload was refused: {' '.join(fault.split())}; "
        return refused + (
            f"{sessions} sessions of {self._watched.users()} users, {self._watched.admins()} sockets of admins, "
            f"{self._watched.store.counters.rows} messages stored"
        )
