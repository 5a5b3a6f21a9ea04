"""Opens the store and the connections to other nodes and to Node.js nodes, before anything else starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from chatd.base.errors import ConfigError
from chatd.base.part import Part
from chatd.daemon.config import Config
from chatd.store.base import MessageId, Store
from chatd.store.choose import make_store

if TYPE_CHECKING:
    from chatd.chat.neighbours.neighbours import Neighbours
    from chatd.chat.nodes.shell import Shell


class Opened(NamedTuple):
    """`last_id`: the greatest id in the store. `shell` connects to other nodes, `neighbours` to Node.js nodes."""

    store: Store
    last_id: MessageId | None
    shell: Shell | None = None
    neighbours: Neighbours | None = None

    @property
    def is_displaced(self) -> bool:
        """Whether another process uses the number of this node."""
        return self.shell is not None and self.shell.is_displaced

    def parts(self) -> Iterator[Part]:
        """Parts of the daemon for what was opened."""
        yield Part(close=self.store.close, shown={"store": lambda: self.store})
        if self.shell is not None:
            shell = self.shell
            yield Part(
                start=shell.start,
                stopping=shell.stopping,
                close=shell.close,
                shown={"nodes": lambda: shell},
                fault=lambda: shell.fault,
            )


async def open_store(config: Config, end: Callable[[], None]) -> Opened:
    """`end` stops this daemon if another process takes its number. Raises ConfigError, UnreachableError, StoreError."""
    neighbours = _neighbours(config)  # first: if its package is missing, no database file is created
    if config.chat.bus is not None:
        try:
            from chatd.chat.nodes.making import join  # noqa: PLC0415 - loaded only when used
        except ModuleNotFoundError as error:
            package = error.name
            raise ConfigError(f"bus: it needs the package {package}: pip install 'chatd[cluster]'") from error

        shell = await join(config.chat, config.store, now_ms, end)
        return Opened(shell.store, shell.epoch, shell, neighbours)
    store = make_store(config.store)
    return Opened(store, await store.open(), None, neighbours)


def _neighbours(config: Config) -> Neighbours | None:
    """The connection to the Node.js nodes of this chat, if it has any. Raises ConfigError."""
    if config.chat.bus_adapter == "off":
        return None
    try:
        from chatd.chat.neighbours.making import make_neighbours  # noqa: PLC0415 - loaded only when used
    except ModuleNotFoundError as error:
        package = error.name
        raise ConfigError(f"bus_adapter: it needs the package {package}: pip install 'chatd[cluster]'") from error

    secure = config.listen.tls_cert is not None and config.listen.tls_port is None
    return make_neighbours(config.chat, config.engineio, config.socketio, secure=secure)


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
