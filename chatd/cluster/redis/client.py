"""A client of Redis Pub/Sub that reconnects until it is closed, and reports when it goes up or down."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Final, Protocol

from chatd.base.tasks import Tasks
from chatd.cluster.redis.address import RedisAddress
from chatd.cluster.redis.link import Link, OnAnswer
from chatd.cluster.redis.pauses import Pauses
from chatd.cluster.redis.sentinel import Sentinels
from chatd.cluster.redis.wire import Command, Subscription, Wire

CONNECT_S: Final = 2.0

log = logging.getLogger("chatd.cluster")


class ClientHandler(Protocol):
    """Calls are synchronous, come from the loop thread and must not raise."""

    def on_up(self) -> None:
        """Connected and subscribed: messages that are published from now on arrive."""

    def on_down(self) -> None:
        """The connection is lost: messages that are published from now on are missed."""

    def on_message(self, channel: bytes, data: bytes) -> None: ...


class RedisClient:
    """Connects and reconnects. `name` is the name of the client in the log."""

    def __init__(self, name: str, address: RedisAddress, subscription: Subscription, handler: ClientHandler) -> None:
        self.fault: str | None = "not connected yet"  # None while it is up
        self.outages = 0
        self.failures = 0  # outages, and attempts to connect that failed
        self._left = 0
        self._name = name
        self._address = address  # of the last attempt, where Sentinels know it
        self._sentinels = Sentinels(address) if address.sentinels else None
        self._subscription = subscription
        self._handler = handler
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._pauses = Pauses(random.Random())  # noqa: S311

    def start(self) -> None:
        """Connect in the background: the daemon serves its own clients also without Redis."""
        self._task = self._tasks.start(self._run(), self._name)

    async def close(self) -> None:
        """Idempotent. `on_down` is not called."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.drop("closed")
        self.fault = "closed"

    def publish(self, channel: str, data: bytes) -> bool:
        """Publish `data`. Returns whether it was written: see Link.publish."""
        return self._link is not None and self._link.publish(channel, data)

    @property
    def unconfirmed(self) -> int:
        """Publications that Redis has not answered, of the current connection or, without one, of the last."""
        return self._left if self._link is None else self._link.unconfirmed

    def ask(self, on_answer: OnAnswer, question: Command, *arguments: str) -> None:
        """See Link.ask."""
        if self._link is not None:
            self._link.ask(on_answer, question, *arguments)

    def drop(self, why: str) -> None:
        """Close the connection, if there is one, and reconnect."""
        if self._link is not None:
            self._link.end(why)

    # LinkHandler

    def on_subscribed(self) -> None:
        self.fault = None
        self._pauses.reset()
        log.info("%s up", self._name, extra={"host": str(self._address)})
        self._handler.on_up()

    def on_message(self, channel: bytes, data: bytes) -> None:
        self._handler.on_message(channel, data)

    # Internals.

    async def _run(self) -> None:
        while True:
            self._lost(await self._connection())
            await asyncio.sleep(self._pauses.next())

    def _lost(self, why: str) -> None:
        """Call the handler for each outage, and log each new reason."""
        was_up = self.fault is None
        self.failures += 1
        if why != self.fault:
            self.fault = why
            log.warning("%s down", self._name, extra={"host": str(self._address), "cause": why})
        if was_up:
            self.outages += 1
            self._handler.on_down()

    async def _connection(self) -> str:
        """Run one connection. Returns the reason of its end."""
        try:
            async with asyncio.timeout(CONNECT_S):
                self._link = await self._connect()
        except TimeoutError:
            return "no connection within seconds"
        except OSError as error:
            return error.strerror or str(error)
        try:
            return await self._link.ended
        finally:
            self._link.end("closed")
            self._left = self._link.unconfirmed
            self._link = None

    async def _connect(self) -> Link:
        loop = asyncio.get_running_loop()
        if self._sentinels is not None:
            self._address = await self._sentinels.master()

        def link() -> Link:
            return Link(Wire(self._address, self._subscription), self)

        if self._address.path:
            return (await loop.create_unix_connection(link, self._address.path))[1]
        address = self._address
        tls = address.context
        name = None if tls is None else address.tls_name or address.host
        return (await loop.create_connection(link, address.host, address.port, ssl=tls, server_hostname=name))[1]
