"""Asks Sentinels for the address of the Redis master, for each connection anew. Rule N-18.

https://redis.io/docs/latest/develop/reference/sentinel-clients/
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque
from typing import Any, Final

import hiredis

from chatd.cluster.redis.address import RedisAddress

ANSWER_S: Final = 0.5

MAX_ANSWER_BYTES: Final = 65_536


class SentinelError(OSError):
    """No Sentinel knows the master; the message has the answer of each, for the log."""


class Sentinels:
    """The Sentinels of `address`. One that has answered is asked first the next time."""

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._places = deque(address.sentinels)

    async def master(self) -> RedisAddress:
        """The address of the master. Raises SentinelError."""
        faults = []
        for _ in range(len(self._places)):
            host, port = self._places[0]
            try:
                async with asyncio.timeout(ANSWER_S):
                    found = await self._ask(host, port)
            except TimeoutError:
                faults.append(f"{host}: no answer")
            except OSError as error:
                faults.append(f"{host}: {error.strerror or error}")
            else:
                return dataclasses.replace(self._address, host=found[0], port=found[1])
            self._places.rotate(-1)
        raise SentinelError(f"no Sentinel knows where {self._address.master} is: {'; '.join(faults)}")

    async def _ask(self, host: str, port: int) -> tuple[str, int]:
        tls = self._address.context
        name = (self._address.tls_name or host) if tls is not None else None
        reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=name)
        try:
            question: Any = ("SENTINEL", "get-master-addr-by-name", self._address.master)
            writer.write(hiredis.pack_command(question))
            return _place(await _reply(reader))
        finally:
            writer.transport.abort()


async def _reply(reader: asyncio.StreamReader) -> Any:
    """The first reply. Raises SentinelError."""
    replies, taken = hiredis.Reader(), 0
    try:
        while (reply := replies.gets()) is False:
            data = await reader.read(MAX_ANSWER_BYTES)
            taken += len(data)
            if not data or taken > MAX_ANSWER_BYTES:
                raise SentinelError("closed by Sentinel" if not data else "an answer too long")
            replies.feed(data)
    except hiredis.HiredisError as error:
        raise SentinelError(f"no Sentinel: {error}") from error
    return reply


def _place(reply: Any) -> tuple[str, int]:
    match reply:
        case [bytes(host), bytes(port)] if port.isdigit():
            return host.decode("utf-8", "replace"), int(port)
        case None:
            raise SentinelError("it knows no master of that name")
        case _:
            raise SentinelError(str(reply)[:200])
