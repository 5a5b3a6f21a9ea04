"""Two honest clients that chat with a server under attack, in the same process, and the invariants of that server."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from chatd.daemon.config import Raw
from tests.chat.people import Chat, Person, chatting

QUIET = logging.ERROR


@dataclasses.dataclass(frozen=True, slots=True)
class Holdings:
    """Every count of a server that grows with its clients."""

    sessions: int
    connections: int
    turned_away: int
    upgrades: int
    deadlines: int
    tasks: int
    waiting_rows: int
    unsent: int
    sockets: int
    rooms: tuple[tuple[str, int], ...]
    sessions_by_address: tuple[tuple[str, int], ...]
    connections_by_address: tuple[tuple[str, int], ...]
    descriptors: int


def holdings(chat: Chat) -> Holdings:
    engine: Any = chat.engine
    return Holdings(
        sessions=len(engine.sessions),
        connections=len(engine.connections),
        turned_away=engine.connections.turned_away,
        upgrades=len(engine._upgrades),
        deadlines=engine._timers.armed(),
        tasks=len(asyncio.all_tasks()),
        waiting_rows=chat.store.waiting,
        unsent=len(engine._outbox._waiting),
        sockets=len(chat.namespace.sockets),
        rooms=tuple(sorted(chat.rooms.items())),
        sessions_by_address=tuple(sorted(engine._admission._by_address.items())),
        connections_by_address=tuple(sorted(engine.connections._by_address.items())),
        descriptors=sum(1 for _ in Path("/proc/self/fd").iterdir()),
    )


def growth(before: Holdings, after: Holdings) -> dict[str, tuple[Any, Any]]:
    """The counts that differ, by name."""
    names = [field.name for field in dataclasses.fields(Holdings)]
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


class ErrorLog(logging.Handler):
    """Collects errors, and tracebacks of any level: no client may cause one."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= QUIET or record.exc_info:
            self.records.append(logging.Formatter("%(name)s %(levelname)s %(message)s").format(record))


@contextlib.contextmanager
def error_log() -> Iterator[ErrorLog]:
    """Errors that the process logs during the block."""
    handler, root = ErrorLog(), logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)


class Couple:
    """`ana` writes to `root`; `root` must receive every message in order."""

    def __init__(self, ana: Person, root: Person) -> None:
        self._ana = ana
        self._root = root
        self._numbers = itertools.count()

    async def talk(self) -> None:
        """One message, acknowledged and received. Messages of attackers to `root` may come in between."""
        text = f"honest {next(self._numbers)}"
        answer = await self._ana.write("root", text)
        assert answer["ok"] is True, answer
        while True:
            event, argument = await self._root.hear()
            if argument.get("de") == "ana":
                assert (event, argument["mensaje"]) == ("mensaje_recibido", text)
                return


@contextlib.asynccontextmanager
async def attacked(db: Path, **settings: Raw) -> AsyncIterator[tuple[Chat, Couple]]:
    async with chatting(db, **settings) as chat:
        yield chat, Couple(await chat.enter("ana"), await chat.enter("root", "admin"))
