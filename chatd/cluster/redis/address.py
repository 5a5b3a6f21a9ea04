"""The address of Redis, from a URL. Pure.

redis://[[user]:password@]host[:port][/database], or rediss:// for TLS
unix:///path/of/the/socket[?db=database]
redis+sentinel://[user@]host[:port],host[:port],.../master[/database], or rediss+sentinel:// for TLS to all of them
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from chatd.base.errors import ConfigError

if TYPE_CHECKING:
    from ssl import SSLContext

PORT: Final = 6379
SENTINEL_PORT: Final = 26379

_SENTINELS: Final = "redis+sentinel://host:26379,host:26379/name-of-the-master"


@dataclasses.dataclass(frozen=True, slots=True)
class RedisAddress:
    """A host and a port, or the path of a unix socket, or `sentinels` that know the address of the Redis `master`.

    `user` needs a `password`, which is not in logs or the repr. If `tls` is set, tls.py sets `context` and `tls_name`,
    the name that the certificate must have.
    """

    host: str = ""
    port: int = PORT
    path: str = ""
    database: int = 0
    user: str = "default"
    password: str | None = dataclasses.field(default=None, repr=False)
    tls: bool = False
    context: SSLContext | None = dataclasses.field(default=None, repr=False, compare=False)
    tls_name: str | None = None
    sentinels: tuple[tuple[str, int], ...] = ()
    master: str = ""

    def __str__(self) -> str:
        """For logs."""
        if self.path:
            return self.path
        if self.sentinels and not self.host:
            return f"{self.master} of {len(self.sentinels)} Sentinels"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(url: str, password: str | None = None) -> RedisAddress:
    """The address in a URL; `password` replaces one in the URL.

    Raises ConfigError, whose message does not contain the password.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme in {"redis+sentinel", "rediss+sentinel"}:
            return _with_login(_of_sentinels(parts), parts, password)
        port = parts.port
    except ValueError as error:
        raise ConfigError("bus: the address of the bus is no URL: redis://host:6379") from error
    match parts.scheme:
        case "redis" | "rediss" as scheme if parts.hostname and not parts.query:
            host = RedisAddress(parts.hostname, PORT if port is None else port, "", _database(parts.path[1:]))
            return _with_login(dataclasses.replace(host, tls=scheme == "rediss"), parts, password)
        case "unix" if parts.path and not parts.hostname:
            database = parse_qs(parts.query).get("db", ["0"])[-1]
            return _with_login(RedisAddress("", 0, unquote(parts.path), _database(database)), parts, password)
        case scheme if "sentinel" in scheme:
            raise ConfigError(f"bus: the address of the bus names Sentinels in this way: {_SENTINELS}")
    raise ConfigError(
        "bus: the address of the bus is redis://host:port/database, rediss:// for TLS, or unix:///path?db=database"
    )


def _of_sentinels(parts: SplitResult) -> RedisAddress:
    """Raises ConfigError, and ValueError for an invalid port."""
    master, _, database = unquote(parts.path[1:]).partition("/")
    places = [urlsplit(f"//{place}") for place in parts.netloc.rpartition("@")[2].split(",")]
    hosts = tuple((place.hostname or "", SENTINEL_PORT if place.port is None else place.port) for place in places)
    if not master or parts.query or not all(host for host, _ in hosts):
        raise ConfigError(f"bus: the address of the bus names Sentinels in this way: {_SENTINELS}")
    tls = parts.scheme.startswith("rediss")
    return RedisAddress(database=_database(database), tls=tls, sentinels=hosts, master=master)


def _with_login(address: RedisAddress, parts: SplitResult, password: str | None) -> RedisAddress:
    if password is None and parts.password is not None:
        password = unquote(parts.password)
    if password is None:
        if parts.username:
            raise ConfigError("bus: the address of the bus has a user: --bus-password-file names its password's file")
        return address
    return dataclasses.replace(address, user=unquote(parts.username or "default"), password=password)


def _database(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ConfigError("bus: the database in the address of the bus is no number: redis://host:6379/0")
    return int(text)
