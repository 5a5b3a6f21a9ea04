"""A connection that reconnects by itself; statements during an outage fail at once. Rules P-04 and P-05."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from chatd.base.tasks import Tasks

from . import faults
from .connecting import SPARE_S

if TYPE_CHECKING:
    from asyncpg import Connection

log = logging.getLogger("chatd.store")

FIRST_PAUSE_S: Final = 0.1
MAX_PAUSE_S: Final = 5.0

Connect = Callable[[], Awaitable["Connection"]]


class DownError(ConnectionError):
    """There is no connection now; the message says why."""


class Link:
    """One connection. Statements run one after the other, in the order of their calls."""

    def __init__(self, what: str, connect: Connect, timeout_s: float) -> None:
        """`what` is the name of the link in the log. `timeout_s` is for each statement."""
        self.waiting = 0  # waiting and running statements
        self.fault: str | None = "it is not open"
        self._what = what
        self._connect = connect
        self._timeout_s = timeout_s + SPARE_S
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()
        self._tasks = Tasks()
        self._reconnecting: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self._connection is not None

    async def open(self) -> None:
        """Connect, unless connected. Raises DownError while it reconnects by itself, and errors of the driver."""
        if self.is_up:
            return
        if self._reconnecting is not None:
            raise DownError(self.fault)
        self._use(await self._connect())

    def renew(self, why: str) -> None:
        """Close the connection, if there is one, and reconnect. `why` is for the log."""
        if self._connection is not None:
            self._lose(self._connection, why)

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """The rows of one statement, in its own transaction. Raises DownError and errors of the driver."""
        self.waiting += 1
        try:
            async with self._turn:
                return await self._fetch(sql, values)
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        """Idempotent."""
        connection, self._connection = self._connection, None
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            await asyncio.wait([self._reconnecting])
            self._reconnecting = None
        if connection is not None:
            try:
                await connection.close(timeout=SPARE_S)
            except Exception as error:  # noqa: BLE001 - nothing is lost: acknowledged messages are committed
                log.warning("a connection did not close cleanly", extra={"cause": repr(faults.cause(error))})

    async def _fetch(self, sql: str, values: Sequence[Any]) -> list[Any]:
        connection = self._connection
        if connection is None:
            raise DownError(self.fault)
        try:
            return list(await connection.fetch(sql, *values, timeout=self._timeout_s))
        except faults.ERRORS as error:
            if faults.breaks(error) or connection.is_closed():
                self._lose(connection, faults.advice(error))
            raise

    def _use(self, connection: Connection) -> None:
        self._connection = connection
        self.fault = None
        connection.add_termination_listener(self._on_end)

    def _on_end(self, connection: Connection) -> None:
        """The server, or a proxy in between, has closed the connection."""
        self._lose(connection, "the server has closed the connection")

    def _lose(self, connection: Connection, fault: str) -> None:
        """The connection broke; the outcome of the running statement is unknown."""
        if self._connection is None or self._connection is not connection:
            return
        self._connection = None
        self.fault = fault
        log.error("a connection to the database is lost", extra={"among": self._what, "cause": fault})
        connection.terminate()
        self._reconnecting = self._tasks.start(self._reconnect(), f"connection for {self._what}")

    async def _reconnect(self) -> None:
        """Try to connect at growing random intervals, so that a restarted server does not get all clients at once."""
        pause_s = FIRST_PAUSE_S
        while not self.is_up:
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause_s = min(2 * pause_s, MAX_PAUSE_S)
            try:
                self._use(await self._connect())
            except Exception as error:  # noqa: BLE001 - after any error, the next attempt may succeed
                self.fault = faults.advice(error)
        log.warning("connected to the database again", extra={"among": self._what})


class Readers:
    """Several links for queries: each query goes to the least busy link."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = links

    @property
    def fault(self) -> str | None:
        """Why no query can run; None if a link is up."""
        return None if any(link.is_up for link in self._links) else self._links[0].fault

    async def open(self) -> None:
        """As Link.open."""
        for link in self._links:
            await link.open()

    def renew(self, why: str) -> None:
        """As Link.renew."""
        for link in self._links:
            link.renew(why)

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """As Link.fetch."""
        best = min(self._links, key=lambda link: (not link.is_up, link.waiting))
        return await best.fetch(sql, *values)

    async def close(self) -> None:
        """Idempotent."""
        for link in self._links:
            await link.close()
