"""What the database knows of a hook: how far it is, whether it is off, what was set aside. Rules W-04, W-08."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

from chatd.store.placeholders import numbered
from chatd.store.positions import Position
from chatd.webhooks.events import Event
from chatd.webhooks.lines import Item

LOAD: Final = "SELECT registro, hasta, apagado FROM ganchos WHERE clave = ?1"
_SAVE: Final = """
    INSERT INTO ganchos (clave, registro, hasta, apagado) VALUES (?1, ?2, ?3, 0)
    ON CONFLICT (clave, registro) DO UPDATE SET hasta = excluded.hasta
"""
_FORGET_OTHERS: Final = "DELETE FROM ganchos WHERE clave = ?1 AND registro NOT IN ({marks})"
SWITCH: Final = "UPDATE ganchos SET apagado = ?2 WHERE clave = ?1"  # since when it is off, 0 for on
_SET_ASIDE: Final = "INSERT INTO ganchos_apartados (clave, id) VALUES (?1, ?2) ON CONFLICT (clave, id) DO NOTHING"
_KEEP: Final = """
    INSERT INTO ganchos_guardados (clave, evento, con, cuerpo) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (clave, evento) DO NOTHING
"""


class Runs(Protocol):
    """See Store.run."""

    async def run(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]: ...


class Standing(NamedTuple):
    """How far a hook is, empty if it has never run; and since when it is switched off, in ms, 0 if it is not."""

    position: Position
    off_since: int


class Memory:
    """Of one hook; messages of the log come from here. Every call raises StoreError."""

    def __init__(self, store: Runs, name: str) -> None:
        self._store = store
        self._key = key_of(name)

    async def load(self) -> Standing:
        return standing_of(await self._store.run(LOAD, (self._key,)))

    async def save(self, position: Position) -> None:
        for log, upto in position.items():
            await self._store.run(_SAVE, (self._key, log, upto))

    async def replace(self, position: Position) -> None:
        """Save it, and forget how far other logs were read: those of a daemon alone, or of several nodes."""
        await self.save(position)
        marks = numbered(len(position), first=2) or "NULL"
        await self._store.run(_FORGET_OTHERS.format(marks=marks), (self._key, *position))

    async def switch_off(self) -> None:
        await self._store.run(SWITCH, (self._key, time.time_ns() // 1_000_000))

    async def set_aside(self, message_id: int) -> None:
        await self._store.run(_SET_ASIDE, (self._key, message_id))

    async def keep(self, event: Event) -> None:
        """Set aside an event that is no message."""
        await self._store.run(_KEEP, (self._key, event.id, event.con, event.body.decode()))

    async def on_taken(self, item: Item, event: Event) -> None:
        """See Origin: `save` will say so."""

    async def on_set_aside(self, item: Item, event: Event) -> None:
        """See Origin."""
        await self.set_aside(item.id)


def standing_of(rows: Sequence[Any]) -> Standing:
    """From the rows of LOAD."""
    return Standing({log: upto for log, upto, _ in rows}, max((off for _, _, off in rows), default=0))


def key_of(name: str) -> int:
    """A number for a name, which both databases take as a parameter of any statement."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1
