"""The settings of the chat."""

# ruff: noqa: RUF009 - setting() gives a field, whose default is immutable

from __future__ import annotations

import dataclasses
from pathlib import Path

from chatd.base.errors import ConfigError
from chatd.settings.passwords import check_url
from chatd.settings.setting import setting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChatConfig:
    """Everything an operator can change about who gets which message, and when."""

    max_message_chars: int = setting(
        10_000, "characters in one message; longer ones are refused", minimum=1, maximum=100_000_000, live=True
    )
    max_connections_per_user: int = setting(
        50, "sockets of one user at a time: tabs, phones; 0: without limit", minimum=0, maximum=1_000_000, live=True
    )
    message_rate: float = setting(
        10.0,
        "messages a second from one user, over all its sockets; 0: without limit",
        minimum=0,
        maximum=1_000_000,
        live=True,
    )
    message_burst: int = setting(
        50, "messages that a user who was silent may send at once", minimum=1, maximum=1_000_000, live=True
    )
    max_chars_per_minute: int = setting(
        200_000,
        "characters of messages that one user may send in a minute, over all its sockets; 0: without limit",
        minimum=0,
        maximum=1_000_000_000,
        live=True,
    )
    deliver: str = setting(
        "at_once",
        "at_once: deliver while the message is being stored; stored: deliver when it is stored, so that a crash never "
        "loses a message that was delivered",
        choices=("at_once", "stored"),
    )
    admin_messages: str = setting(
        "direct",
        "direct: what an admin writes is seen by its addressee alone; all: by every admin, if it is for an admin who "
        "is online; team: by every admin, if it is for a user (only a restart begins or ends it)",
        choices=("direct", "all", "team"),
        live=True,
    )
    payload: str = setting(
        "brief",
        "brief: mensaje_recibido is {de, mensaje}; full: it also has id, para, fecha and, if there is one, cid",
        choices=("brief", "full"),
    )
    echo: str = setting(
        "off",
        "on: what a user sends is shown to the user's other sockets, such as tabs, as mensaje_enviado",
        choices=("off", "on"),
    )
    presence: str = setting(
        "on",
        "on: admins are told which users connect and disconnect, and may ask for the list; off: no presence",
        choices=("on", "off"),
    )
    presence_grace_s: float = setting(
        5.0,
        "seconds without a socket after which a user is gone, so that a page may be loaded again",
        minimum=0,
        maximum=3600,
    )
    recovery: str = setting(
        "off",
        "on: sockets of socket.io-client are recovered when they come back: CONNECT is answered with a pid, and "
        "mensaje_recibido has the message's id as a second argument",
        choices=("off", "on"),
    )
    recovery_limit: int = setting(
        1_000,
        "messages that are sent to a client that comes back; beyond it, it is told to load the history",
        minimum=1,
        maximum=1_000_000,
    )
    typing_rate: float = setting(
        2.0,
        "times a second that one user may say to be writing, beside its messages; 0: without limit",
        minimum=0,
        maximum=1_000_000,
        live=True,
    )
    typing_timeout_s: float = setting(
        6.0, "seconds after which a typing notice ends, unless it is repeated", minimum=0.1, maximum=3600
    )
    node: int = setting(
        0,
        "number of this daemon among several: part of its message ids and, unless 0, the beginning of its session ids",
        minimum=0,
        maximum=1023,
    )
    bus: str | None = setting(
        None,
        "redis://HOST:PORT, rediss:// for TLS, unix:///PATH, or redis+sentinel://HOST:PORT,HOST:PORT/MASTER of the "
        "Redis that joins several daemons with one PostgreSQL database; without it there is one daemon",
    )
    bus_password_file: Path | None = setting(None, "file with the password for Redis")
    bus_ca_file: Path | None = setting(
        None, "file with the certificates (PEM) that sign that of Redis, for rediss://; without it the system's count"
    )
    bus_cert_file: Path | None = setting(None, "file with our own certificate (PEM), where Redis asks for one")
    bus_key_file: Path | None = setting(None, "file with the key (PEM) of that, if it is not in the same file")
    bus_tls_name: str | None = setting(
        None, "name that the certificate of Redis must have; without it the host of the URL"
    )
    node_answer_timeout_s: float = setting(
        2.0,
        "seconds that chatd who and kick wait for the other daemons; one that has not answered by then is named",
        minimum=0.1,
        maximum=8,
    )
    node_max_users: int = setting(
        200_000,
        "users of other daemons that this one knows, once for each daemon; beyond it they count as absent here",
        minimum=1_000,
        maximum=10_000_000,
    )
    bus_channel: str = setting("chatd", "channel of Redis that the daemons of this chat, and no others, use")
    bus_adapter: str = setting(
        "off",
        "socket.io: this daemon and Node.js nodes with @socket.io/redis-adapter are one chat; set it on all daemons of "
        "the chat. It needs neither PostgreSQL nor other daemons",
        choices=("off", "socket.io"),
    )
    bus_adapter_url: str | None = setting(
        None,
        "redis://HOST:PORT, rediss:// for TLS, or unix:///PATH of the Redis of the Node.js nodes; without it that of "
        "`bus`",
    )
    bus_adapter_password_file: Path | None = setting(None, "file with the password for that Redis")
    bus_adapter_key: str = setting(
        "socket.io", "what their channels begin with, as in the option `key` of the adapter and of the emitter"
    )
    bus_adapter_queue: int = setting(
        1_000,
        "messages that wait for the Node.js nodes while their Redis is away; beyond it the oldest are dropped",
        minimum=0,
        maximum=100_000,
    )

    @property
    def has_tls(self) -> bool:
        """Whether a Redis is spoken to under TLS."""
        return any(
            url is not None and url.startswith(("rediss:", "rediss+")) for url in (self.bus, self.bus_adapter_url)
        )

    def __post_init__(self) -> None:
        """Rules N-02, N-15, N-30 and D-02."""
        if self.admin_messages == "team":
            self._check_team()
        if self.bus is not None:
            check_url(self.bus, "bus", "a file that --bus-password-file names")
        if not self.has_tls and (self.bus_ca_file or self.bus_cert_file or self.bus_tls_name):
            raise ConfigError("bus: certificates are for TLS, and that is for a URL which begins with rediss://")
        if self.bus_adapter_url is not None:
            check_url(self.bus_adapter_url, "bus_adapter_url", "a file that --bus-adapter-password-file names")
        elif self.bus_adapter != "off" and self.bus is None:
            raise ConfigError(
                "bus_adapter: the Redis of the Node.js nodes is missing: give --bus-adapter-url redis://HOST"
            )

    def _check_team(self) -> None:
        if self.payload != "full":
            raise ConfigError(
                "admin_messages: a team needs payload = full, without which an admin cannot see to whom another one "
                "has written: set that too, or leave admin_messages at direct"
            )
        if self.presence != "on":
            raise ConfigError(
                "admin_messages: a team needs presence = on, without which a claim would never end: set that too, or "
                "leave admin_messages at direct"
            )
