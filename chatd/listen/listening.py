"""All listening sockets of the configuration."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from chatd.base.errors import ConfigError
from chatd.base.refusals import Refusals
from chatd.listen.activation import TLS, Inherited
from chatd.listen.arrivals import Arrivals
from chatd.listen.config import ListenConfig
from chatd.listen.files import raise_limit
from chatd.listen.limits import ListenLimit
from chatd.listen.listener import Listener
from chatd.listen.tcp import open_tcp
from chatd.listen.unix import UnixSocket
from chatd.settings.reload import Apply

if TYPE_CHECKING:
    from chatd.listen.tls import Tls

GRACE_S: Final = 0.1

log = logging.getLogger("chatd.listen")


class Listening:
    """Opens its sockets when created; accepts from `start` to `close`. `make` returns the protocol of a connection."""

    def __init__(
        self,
        config: ListenConfig,
        make: Callable[[], asyncio.Protocol],
        inherited: Sequence[Inherited] = (),
        *,
        handshake_timeout_s: float,
        arrivals: Callable[[], Arrivals] = Arrivals,
    ) -> None:
        """With `inherited` sockets, no others are opened. `arrivals` makes the queues of each socket.

        Raises ConfigError and ListenError.
        """
        self.refusals = Refusals(ListenLimit, asyncio.get_running_loop().time, log)
        self.max_files = raise_limit()
        self._config = config
        self._make = make
        self._inherited = inherited
        self._handshake_timeout_s = handshake_timeout_s
        self._arrivals = arrivals
        self._listeners: list[Listener] = []
        self.addresses: list[dict[str, object]] = []  # of each listener, for the log
        self._unix: UnixSocket | None = None
        self.tls: Tls | None = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def start(self, path: str, announce: Callable[[int], None] | None = None) -> None:
        """Start to accept. Logs each address with `path`, and calls `announce` with the first TCP port (0: none)."""
        if announce is not None:
            announce(next((int(str(where["port"])) for where in self.addresses if "port" in where), 0))
        for listener, where in zip(self._listeners, self.addresses, strict=True):
            listener.start()
            log.info("listening", extra={**where, "path": path})

    def close(self) -> None:
        """Stop accepting. Idempotent."""
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.close()
        unix, self._unix = self._unix, None
        if unix is not None:
            unix.remove()

    async def stop(self) -> None:
        """Close. With inherited sockets, wait GRACE_S so that connections that were just accepted get their answer."""
        self.close()
        if self._inherited:
            await asyncio.sleep(GRACE_S)

    def prepare(self) -> Apply:
        """Read the certificate again. Returns a function that puts it into use. Raises ConfigError."""
        return _nothing if self.tls is None else self.tls.prepare()

    def _open(self) -> None:
        config = self._config
        if config.tls_cert is not None:
            from chatd.listen.tls import Tls  # noqa: PLC0415 - 4 MB, loaded only when used

            self.tls = Tls(config.tls_cert, config.tls_key, self._handshake_timeout_s)
        if self._inherited:
            self._adopt()
            return
        if config.tcp:
            self._open_tcp(config.port, "--port", self.tls if config.tls_port is None else None)
        if config.tls_port is not None:
            self._open_tcp(config.tls_port, "--tls-port", self.tls)
        if config.unix is not None:
            self._unix = UnixSocket(config.unix, config.unix_permissions)
            self._add(self._unix.socket, None, {"unix": str(config.unix)})

    def _open_tcp(self, port: int, flag: str, tls: Tls | None) -> None:
        for opened in open_tcp(self._config.host, port, flag):
            host, free_port, *_ = opened.getsockname()
            self._add(opened, tls, {"host": host, "port": free_port, "tls": tls is not None})

    def _adopt(self) -> None:
        """Use the inherited sockets. A TCP socket speaks TLS if its name is `tls`, or if `port` would speak TLS."""
        for name, opened in self._inherited:
            host, port = opened.getsockname()[:2] if opened.family != socket.AF_UNIX else ("", 0)
            where = {"host": host, "port": port} if port else {"unix": str(opened.getsockname())}
            if name == TLS and self.tls is None:
                raise ConfigError(f"tls_cert: the socket {name} is to speak TLS: give --tls-cert FILE")
            tls = self.tls if name == TLS or (port and self._config.tls_port is None) else None
            self._add(opened, tls, {**where, "tls": tls is not None, "inherited": name or "without a name"})

    def _add(self, opened: socket.socket, tls: Tls | None, where: dict[str, object]) -> None:
        self.addresses.append(where)
        self._listeners.append(
            Listener(
                opened,
                self._make,
                self.refusals,
                self._arrivals(),
                max_files=self.max_files,
                tls=tls,
            )
        )


def _nothing() -> None:
    """The result of `prepare` without a certificate."""
