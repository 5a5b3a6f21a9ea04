"""Nodes in one process: a real Redis, a real database, and chats without network connections to clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from chatd.chat.config import ChatConfig
from chatd.chat.nodes.chat import NodeChat
from chatd.chat.nodes.making import join
from chatd.chat.nodes.recovery import NodeRecovery
from chatd.chat.nodes.shell import Shell
from chatd.store.base import Message, StoreError
from chatd.store.config import StoreConfig
from tests.chat.rig import Line, Rig, who
from tests.cluster.redis.server import RedisServer
from tests.store.rig import PostgresBase

SOON_S = 20.0


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; fail after a long time."""
    async with asyncio.timeout(SOON_S):
        while not condition():  # noqa: ASYNC110 - servers make it true
            await asyncio.sleep(0.01)


class Node(Rig):
    """A node without network connections to clients."""

    chat: NodeChat

    def __init__(self, shell: Shell, config: ChatConfig) -> None:
        super().__init__(call_soon=asyncio.get_running_loop().call_soon)
        self.chat = NodeChat(shell, config, self.limits, self.namespace, shell.store, shell.ids, _now_ms)
        self.recovery: NodeRecovery = NodeRecovery(self.chat, lambda identity: None)
        self.namespace.greet = self.recovery.greet
        self.shell = shell

    async def join(self, user: str, rol: str = "user", line: Line | None = None, **auth: str) -> Line:
        """A socket that has joined; its recovery may still be under way."""
        line = self.enter(who(user, rol), line, json.dumps(auth) if auth else "")
        await until(lambda: bool(line.received))
        return line


async def heard(line: Line, event: str, count: int = 1) -> list[Any]:
    """The arguments of the first `count` such events, once they have arrived."""

    def found() -> list[Any]:
        return [args for name, *args in line.events if name == event]

    await until(lambda: len(found()) >= count)
    return found()


def write(line: Line, para: str, text: str) -> None:
    line.emit("mensaje_privado", {"para": para, "mensaje": text})


class Hearer:
    """Records the deliveries of a shell that has no chat."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.texts: list[str] = []
        shell.deliver = lambda delivery: self.texts.append(delivery.item.mensaje)

    def say(self, text: str) -> None:
        """Store a message, and publish it."""
        message = Message(self.shell.ids.next(), "ana", "root", text, 1_700_000_000_000, supervisado=True)
        self.shell.store.put(message, _must_be_stored)
        self.shell.say(message)


def _must_be_stored(error: StoreError | None) -> None:
    if error is not None:
        raise error


@contextlib.asynccontextmanager
async def shells(
    base: PostgresBase, redis: RedisServer, *, count: int = 2, **settings: Any
) -> AsyncIterator[list[Shell]]:
    """Shells that are not started."""
    made: list[Shell] = []
    try:
        for number in range(1, count + 1):
            config = ChatConfig(bus=f"unix://{redis.path}", node=number, **settings)
            made.append(await join(config, StoreConfig(db=str(base)), _now_ms, _no_end))
        yield made
    finally:
        for shell in made:
            await shell.close()
            await shell.store.close()


@contextlib.asynccontextmanager
async def hearers(base: PostgresBase, redis: RedisServer) -> AsyncIterator[list[Hearer]]:
    """Two hearers whose nodes have met."""
    async with shells(base, redis) as two:
        both = [Hearer(shell) for shell in two]
        await _meet(two)
        yield both


@contextlib.asynccontextmanager
async def chats(base: PostgresBase, redis: RedisServer, **settings: Any) -> AsyncIterator[list[Node]]:
    """Two nodes of one chat, with these settings."""
    async with shells(base, redis, **settings) as two:
        both = [Node(shell, ChatConfig(**settings)) for shell in two]
        await _meet(two)
        yield both


async def _meet(some: list[Shell]) -> None:
    for shell in some:
        shell.start()
    await until(lambda: all(shell.living == len(some) and shell.fault is None for shell in some))


def _now_ms() -> int:
    """The shell and the chat of a node share the clock of ids."""
    return time.time_ns() // 1_000_000


def _no_end() -> None:
    raise AssertionError("the number of a node was taken")
