"""The settings of the Engine.IO layer; defaults are the reference's, where it has the setting."""

from __future__ import annotations

import dataclasses

from chatd.engineio.origins import check_origin
from chatd.engineio.proxies import UNIX, parse_network
from chatd.engineio.turns import BUDGET
from chatd.settings.setting import setting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """Everything an operator can change about sessions and transports."""

    path: str = setting("/socket.io/", "path under which clients connect, as in the client's option `path`")
    ping_interval_s: float = setting(25.0, "seconds between a pong and the next ping", minimum=0.01, maximum=3600)
    ping_timeout_s: float = setting(20.0, "seconds that a client has to answer a ping", minimum=0.01, maximum=3600)
    max_payload_bytes: int = setting(
        1_000_000, "bytes in one message or one polling request", minimum=1_000, maximum=100_000_000
    )
    max_payload_before_join_bytes: int = setting(
        16_384,
        "bytes in one message or one polling request until the client has joined a namespace",
        minimum=1_000,
        maximum=100_000_000,
    )
    max_unfinished_bytes: int = setting(
        67_108_864,
        "bytes of messages and requests that have arrived in part, of all clients; 0: without limit",
        minimum=0,
        maximum=1_000_000_000_000,
    )
    max_unfinished_per_client_bytes: int = setting(
        8_388_608,
        "bytes of messages and requests that have arrived in part, of one user, or of one address (a /64 of IPv6) "
        "before it has joined; 0: without limit",
        minimum=0,
        maximum=1_000_000_000_000,
    )
    max_packets: int = setting(1_000, "packets in one polling request", minimum=1, maximum=1_000_000)
    max_queued_bytes: int = setting(
        1_048_576, "bytes that may wait for a client that does not read", minimum=65_536, maximum=1_073_741_824
    )
    upgrade_timeout_s: float = setting(
        10.0, "seconds that an upgrade to WebSocket may take", minimum=0.01, maximum=3600
    )
    request_timeout_s: float = setting(
        30.0, "seconds that a connection has to send its next whole request", minimum=0.1, maximum=3600
    )
    max_header_bytes: int = setting(16_384, "bytes in the header of a request", minimum=1_024, maximum=1_048_576)
    max_connections: int = setting(
        10_000, "clients that may be connected at a time; 0: without limit", minimum=0, maximum=10_000_000, live=True
    )
    max_connections_per_address: int = setting(
        1_000,
        "clients at a time from one address, or one /64 of IPv6; 0: without limit",
        minimum=0,
        maximum=10_000_000,
        live=True,
    )
    accept_rate: float = setting(
        1_000.0, "new clients a second, and as many at once; 0: without limit", minimum=0, maximum=1_000_000, live=True
    )
    accept_rate_per_address: float = setting(
        200.0,
        "new clients a second from one address, or one /64 of IPv6; 0: without limit",
        minimum=0,
        maximum=1_000_000,
        live=True,
    )
    turn_budget: int = setting(
        BUDGET,
        "work for one user or address in a turn of the event loop, in units of about 10 µs; the rest waits for a later "
        "turn",
        minimum=16,
        maximum=1_000_000,
    )
    trusted_proxy: tuple[str, ...] = setting(
        (),
        "address or network (10.0.0.0/8) of reverse proxies whose X-Forwarded-* headers are trusted, or the word unix "
        "for those on the unix socket; may be repeated",
    )
    origin: tuple[str, ...] = setting(
        (), "origin of pages that may connect besides the server's own host; may be repeated", live=True
    )
    require_origin: bool = setting(
        False, "refuse clients without an Origin: programs, and old browsers on the server's own pages", live=True
    )
    insecure_any_origin: bool = setting(
        False,
        "allow the origin * together with cookies: any web page can then act as the user who visits it",
        live=True,
    )
    cors_credentials: bool = setting(True, "let pages of the listed origins send cookies", live=True)
    engine_cookie: str = setting("", "name of a cookie that carries the session id, for sticky load balancers")

    def __post_init__(self) -> None:
        for origin in self.origin:
            check_origin(origin)
        for name in self.trusted_proxy:
            if name != UNIX:
                parse_network(name)


def untrusted_payload_bytes(config: EngineConfig) -> int:
    """Rule L-11: the greatest number of bytes in one message of a client that has not joined."""
    return min(config.max_payload_before_join_bytes, config.max_payload_bytes)
