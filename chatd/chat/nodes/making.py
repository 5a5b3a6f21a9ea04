"""How a daemon becomes one of several: its number is locked and its ids are reserved, before it says anything."""

from __future__ import annotations

from collections.abc import Callable

from chatd.base.errors import ConfigError
from chatd.chat.config import ChatConfig
from chatd.chat.messages.ids import parts
from chatd.chat.nodes.ids import ReservedIds
from chatd.chat.nodes.peers import Bounds
from chatd.chat.nodes.shell import Shell
from chatd.chat.redis import bus_address
from chatd.cluster.core import epoch
from chatd.cluster.core.node import TooManyOriginsError
from chatd.store.config import StoreConfig
from chatd.store.postgres.nodes import NodeStore


async def join(chat: ChatConfig, config: StoreConfig, clock_ms: Callable[[], int], end: Callable[[], None]) -> Shell:
    """Open the store, and begin. Raises ConfigError, UnreachableError and StoreError, with everything closed again."""
    address = bus_address(chat)
    store = NodeStore(config, chat.node, lambda message_id: clock_ms() - parts(message_id).ms)
    await store.open()
    try:
        known = await store.look()
        begun = epoch.begin(chat.node, known.greatest, known.reserved)
        ids = ReservedIds(clock_ms, chat.node, begun)
        await store.register(begun, ids.reservation.ask(ids.now) or begun)
        ids.reservation.done(written=True)
    except BaseException:
        await store.close()
        raise
    known.first.setdefault(chat.node, begun)
    try:
        bounds = Bounds(answer_timeout_s=chat.node_answer_timeout_s, max_users=chat.node_max_users)
        shell = Shell(store, known, ids, begun, end, bounds)
    except TooManyOriginsError as error:
        await store.close()
        raise ConfigError(f"node: {error}: use a number again") from error
    shell.join(address, chat.bus_channel)
    return shell
