"""The settings of the internal listener and of the admin socket."""

# ruff: noqa: RUF009 - setting() gives a field, whose default is immutable

from __future__ import annotations

import dataclasses
from pathlib import Path

from chatd.base.errors import ConfigError
from chatd.listen.loopback import is_loopback
from chatd.settings.setting import setting
from chatd.store.url import is_postgres


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpsConfig:
    """The internal listener and the admin socket."""

    internal: str = setting(
        "", "HOST:PORT where /healthz, /readyz and /metrics are served, such as 127.0.0.1:9464; without it nowhere"
    )
    internal_anywhere: bool = setting(
        False, "let `internal` be an address that other machines can reach, though it has no login"
    )
    admin_socket: bool = setting(
        True, "open a unix socket beside the database for chatd who, kick, send and tail, to the daemon's own user"
    )
    admin_socket_file: Path | None = setting(
        None,
        "where that socket is: without it beside the database, or chatd-admin in the working directory for PostgreSQL",
    )

    def __post_init__(self) -> None:
        if not self.internal:
            return
        host, _ = self.internal_address
        if not is_loopback(host) and not self.internal_anywhere:
            raise ConfigError(
                f"internal: {host} is not 127.0.0.1, ::1 or localhost, so other machines could read its metrics "
                "without a login: take one of those, or --internal-anywhere behind a firewall"
            )

    @property
    def internal_address(self) -> tuple[str, int]:
        """Host and port of `internal`. Raises ConfigError."""
        host, colon, port = self.internal.rpartition(":")
        if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
            raise ConfigError(f"internal: {self.internal!r} is no HOST:PORT; write 127.0.0.1:9464")
        return host.removeprefix("[").removesuffix("]"), int(port)


def admin_socket_of(config: OpsConfig, db: str) -> Path:
    """The path of the admin socket: as set; else beside the database file, or in the working directory (PostgreSQL)."""
    if config.admin_socket_file is not None:
        return config.admin_socket_file.resolve()
    path = Path("chatd" if is_postgres(db) else db).resolve()
    return path.with_name(f"{path.name}-admin")
