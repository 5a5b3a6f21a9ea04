"""A chatd server in a process of its own that reports what it holds: `python -m tests.attack.watched DB`.

Reads commands from stdin, one a line, and answers each with a line of JSON: `skip SECONDS` advances the clock of the
loop, `look` counts everything that grows with clients, every live object of chatd's classes, and memory:
resident, in blocks of Python's allocator, and in blocks that caches may keep of disconnected clients.
The first line says where it listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import dataclasses
import gc
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from chatd.base.rates import Rates
from chatd.chat.messages.cids import Cids
from chatd.daemon.config import load
from chatd.listen.listening import Listening
from chatd.store.sqlite import SqliteStore
from tests.api.inside import build_with_api, write_keys
from tests.attack.honest import error_log, holdings
from tests.attack.loop import SkippingLoop
from tests.chat.people import SECRET, Chat
from tests.conformance.wire import Client

SETTINGS: Final = {
    "port": "0",
    "max_connections_per_address": "0",
    "accept_rate": "0",
    "accept_rate_per_address": "0",
    "message_rate": "200",
    "max_chars_per_minute": "0",
    "synchronous": "normal",
    "api": "127.0.0.1:0",
    "api_rate": "0",
    "api_address_rate": "0",
    "api_max_connections": "1000",
    "api_max_connections_per_address": "0",
}


def made_by_chatd() -> Counter[str]:
    """The number of live objects of each class of chatd, as the garbage collector knows them."""
    gc.collect()
    classes = (type(one) for one in gc.get_objects())
    return Counter(f"{cls.__module__}.{cls.__name__}" for cls in classes if cls.__module__.startswith("chatd."))


def blocks() -> dict[str, int]:
    """Blocks in use, and those of them that belong to bounded caches: a text for each remembered cid, a name and a
    number for each bucket of a rate limit.
    """
    gc.collect()
    used = sys.getallocatedblocks()
    caches = [one for one in gc.get_objects() if isinstance(one, Cids | Rates)]
    return {"used": used, "cached": sum(len(one) if isinstance(one, Cids) else 2 * len(one) for one in caches)}


def memory_mb() -> float:
    """Resident memory, after glibc has returned its free memory to the system (other C libraries are not asked)."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1_048_576


class Watched:
    """A server that answers questions about itself."""

    def __init__(self, db: str, loop: SkippingLoop) -> None:
        keys = write_keys(Path(db).with_name("keys"))
        self._config = load({"db": db, "api_keys_file": str(keys), **SETTINGS}, {"CHATD_JWT_SECRET": SECRET})
        self._loop = loop

    async def serve(self) -> None:
        commands = asyncio.StreamReader()
        await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        store = SqliteStore(self._config.store)
        try:
            engine, self._api = build_with_api(self._config, store, await store.open())
            listening = Listening(self._config.listen, engine.connection, handshake_timeout_s=10)
            listening.start(self._config.engineio.path)
            self._chat = Chat(Client("", 0, ""), engine, store)
            self._api.start()
            api = self._api.http._listeners[0].socket.getsockname()
            self._say({**listening.addresses[0], "path": self._config.engineio.path, "api": [*api, "/"]})
            with error_log() as self._errors:
                while line := await commands.readline():
                    await self._obey(*line.decode().split())
            listening.close()
            await self._api.close()
        finally:
            await store.close()

    async def _obey(self, verb: str, *arguments: str) -> None:
        if verb == "skip":
            self._loop.skip(float(arguments[0]))
            await asyncio.sleep(0.01)  # deadlines that are due run now
            self._say({})
        else:
            self._say(self._looked())

    def _looked(self) -> dict[str, Any]:
        return {
            "holdings": {**dataclasses.asdict(holdings(self._chat)), **self._held_by_api()},
            "objects": made_by_chatd(),
            "blocks": blocks(),
            "memory_mb": memory_mb(),
            "errors": self._errors.records,
        }

    def _held_by_api(self) -> dict[str, int]:
        http, streams = self._api.http, self._api._server._parts.streams
        return {
            "api_connections": len(http.connections),
            "api_deadlines": http.timers.armed(),
            "api_unfinished_bytes": http.connections.unfinished.total_bytes,
            "streams": len(streams),
        }

    def _say(self, answer: dict[str, Any]) -> None:
        print(json.dumps(answer), flush=True)


def main() -> None:
    loop = SkippingLoop()
    loop.run_until_complete(Watched(sys.argv[1], loop).serve())


if __name__ == "__main__":
    main()
