"""The settings of listening sockets, and of the stop of the daemon."""

# ruff: noqa: RUF009 - setting() gives a field, whose default is immutable

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.settings.setting import setting

_MODE: Final = re.compile(r"0?[0-7]{3}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ListenConfig:
    """TCP, TLS and a unix socket may be used at the same time."""

    host: tuple[str, ...] = setting(
        ("127.0.0.1",),
        "address or name to listen on; :: is every IPv6 and IPv4 address of the machine; may be repeated",
    )
    port: int = setting(8400, "TCP port to listen on; 0 takes a free one", minimum=0, maximum=65_535)
    tcp: bool = setting(True, "listen on host and port; without it on the unix socket alone")
    tls_cert: Path | None = setting(
        None, "file with the certificate and its chain (PEM): the port then speaks TLS, 1.2 or newer"
    )
    tls_key: Path | None = setting(None, "file with the certificate's key (PEM), if that is not in the same file")
    tls_port: int | None = setting(
        None, "TCP port for TLS beside the plain one; without it `port` itself speaks TLS", minimum=0, maximum=65_535
    )
    unix: Path | None = setting(None, "unix socket to listen on as well, for a reverse proxy on the same machine")
    unix_mode: str = setting("660", "permissions of the unix socket, in octal: write permission lets a process connect")
    stop_delay_s: float = setting(
        0.0,
        "seconds between /readyz answering 503 and the first closed connection, so that load balancers notice",
        minimum=0,
        maximum=3600,
    )
    stop_rate: float = setting(
        1_000.0,
        "clients a second that a stop disconnects, so that they do not all reconnect at once; 0: all at once",
        minimum=0,
        maximum=1_000_000,
    )
    stop_timeout_s: float = setting(30.0, "seconds that a stop may take before connections are aborted", minimum=0.1)

    def __post_init__(self) -> None:
        if self.tls_key is not None and self.tls_cert is None:
            raise ConfigError("tls_key: a key needs its certificate: give --tls-cert FILE too")
        if self.tls_port is not None and self.tls_cert is None:
            raise ConfigError("tls_port: TLS needs a certificate: give --tls-cert FILE too")
        if not self.tcp and self.unix is None:
            raise ConfigError("tcp: without TCP there must be a unix socket: give --unix PATH")
        if self.stop_delay_s >= self.stop_timeout_s:
            raise ConfigError(
                f"stop_delay: {self.stop_delay_s:g} seconds leave no time to stop in: stop_timeout is "
                f"{self.stop_timeout_s:g}"
            )
        if not _MODE.fullmatch(self.unix_mode):
            raise ConfigError(f"unix_mode: {self.unix_mode!r} are no permissions; write 600, 660 or 666")

    @property
    def unix_permissions(self) -> int:
        return int(self.unix_mode, 8)
