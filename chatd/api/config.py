"""The listener of the API, and its limits."""

# ruff: noqa: RUF009 - setting() gives a field, whose default is immutable

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

from chatd.base.errors import ConfigError
from chatd.listen.loopback import is_loopback
from chatd.settings.setting import setting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """Off without `api`."""

    api: str = setting(
        "", "HOST:PORT where the API for other systems is served, such as 127.0.0.1:8600; without it nowhere"
    )
    api_anywhere: bool = setting(
        False, "let `api` be an address that other machines reach; take `api_tls` too, or a proxy that speaks TLS"
    )
    api_tls: bool = setting(False, "speak TLS on `api`, with the certificate of `tls_cert`")
    api_keys_file: Path | None = setting(
        None, "the keys that may use the API, one a line; `chatd apikey new` adds one", live=True
    )
    api_rate: float = setting(
        100.0, "requests a second of one key, twice as many at once; 0 for no limit", minimum=0, maximum=1e6, live=True
    )
    api_address_rate: float = setting(
        5.0,
        "requests a second of one address without a valid key, twice as many at once; 0 for no limit",
        minimum=0,
        maximum=1e6,
        live=True,
    )
    api_max_connections: int = setting(100, "connections to the API that may be open", minimum=1, maximum=100_000)
    api_max_connections_per_address: int = setting(
        50, "connections to the API of one address that may be open; 0 for no limit", minimum=0, maximum=100_000
    )
    api_max_connections_per_key: int = setting(
        50, "connections to the API of one key that may be open; 0 for no limit", minimum=0, maximum=100_000
    )
    api_max_body_bytes: int = setting(1_048_576, "the longest body of a request", minimum=1_024, maximum=67_108_864)
    api_max_streams: int = setting(20, "streams of events that may be open", minimum=0, maximum=10_000)
    api_max_streams_per_key: int = setting(
        10, "streams of events of one key that may be open; 0 for no limit", minimum=0, maximum=10_000
    )
    api_stream_timeout_s: float = setting(
        60.0, "how long the reader of a stream may take nothing of what waits for it", minimum=0.1, maximum=86_400
    )
    api_heartbeat_s: float = setting(
        15.0, "how long a stream of events may be silent before it is sent a heartbeat", minimum=0.1, maximum=3_600
    )
    api_timeout_s: float = setting(
        30.0, "how long a request may wait for the database before it is answered 503", minimum=0.1, maximum=600
    )

    api_log_answers: bool = setting(
        False, "log a line at level info for each answer of the API, with its X-Request-Id; without it at level debug"
    )

    def __post_init__(self) -> None:
        if not self.api:
            return
        host, _ = self.api_address
        if not is_loopback(host) and not self.api_anywhere:
            raise ConfigError(
                f"api: {host} is not 127.0.0.1, ::1 or localhost: take one of those, or --api-anywhere with --api-tls"
            )
        if self.api_keys_file is None:
            raise ConfigError("api_keys_file: nobody can use --api without keys: see chatd apikey new --help")

    @property
    def answer_level(self) -> int:
        """Of the log line about each answer."""
        return logging.INFO if self.api_log_answers else logging.DEBUG

    @property
    def api_address(self) -> tuple[str, int]:
        """Host and port. Raises ConfigError."""
        host, colon, port = self.api.rpartition(":")
        if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
            raise ConfigError(f"api: {self.api!r} is no HOST:PORT; write 127.0.0.1:8600")
        return host.removeprefix("[").removesuffix("]"), int(port)
