"""Answers of the desk that their user has not read. Rules M-07, M-09 and M-10.

As with `sin_respuesta` (chatd/webhooks/waits.py), a table follows the log: an answer opens a wait. Whether there is
something to tell is asked of the log, the read marks and the wishes of the user, when a wait is due and again before
each try of a mail. What a mail was about is remembered with the address, so reading a part of the log twice makes no
difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from chatd.chat.chat import Chat
from chatd.chat.messages.ids import MAX_NODE, SEQUENCE_BITS
from chatd.notify.config import Notify
from chatd.store.base import Message
from chatd.store.marks import read_upto
from chatd.store.positions import WHOLE
from chatd.team.casesql import is_of_desk
from chatd.webhooks.events import Event
from chatd.webhooks.lines import Item

MAX_ON_THEIR_WAY: Final = 64

MAX_COUNTED: Final = 100
"""Maximal number of answers that a mail states."""

# ruff: noqa: S608 - words of ours

_OF_DESK: Final = f"(m.supervisado = 0 OR {is_of_desk('m.de')}) AND m.de <> m.para"
_IN_RANGE: Final = f"m.id >= ?2 AND m.id <= ?3 AND (?4 = {WHOLE} OR ((m.id >> {SEQUENCE_BITS}) & {MAX_NODE}) = ?4)"

_OPEN: Final = f"""
    INSERT INTO ganchos_esperas (clave, con, desde, fecha, avisado)
    SELECT CAST(?1 AS bigint), q.con, q.desde, (SELECT fecha FROM mensajes WHERE id = q.desde), 0
    FROM (
        SELECT m.para AS con, min(m.id) AS desde FROM mensajes AS m WHERE {_IN_RANGE} AND {_OF_DESK} GROUP BY m.para
    ) AS q WHERE true
    ON CONFLICT (clave, con) DO NOTHING
"""
_DUE: Final = """
    SELECT con, desde FROM ganchos_esperas WHERE clave = ?1 AND avisado = 0 AND fecha <= ?2 ORDER BY fecha LIMIT ?3
"""
_WAIT: Final = """
    SELECT e.desde, c.correo, c.silencio, c.hasta,
        (SELECT max(o.enviado) FROM correos AS o WHERE lower(o.correo) = lower(c.correo) AND o.correo <> ''),
        (SELECT max(m.id) FROM mensajes AS m INDEXED BY mensajes_de WHERE m.de = e.con AND m.supervisado = 1)
    FROM ganchos_esperas AS e LEFT JOIN correos AS c ON c.quien = e.con WHERE e.clave = ?1 AND e.con = ?2
"""


def _unread(kind: int) -> str:
    """Behind ?2, of one kind: one walk along an index."""
    return (
        f"SELECT m.id, m.fecha FROM mensajes AS m WHERE m.para = ?1 AND m.supervisado = {kind} AND m.id > ?2 "
        f"AND {_OF_DESK} AND m.id > coalesce({read_upto('?1', 'm.de')}, 0)"
    )


_UNREAD: Final = f"SELECT id, fecha FROM ({_unread(0)} UNION ALL {_unread(1)}) AS u ORDER BY id LIMIT {MAX_COUNTED}"

_MOVE: Final = "UPDATE ganchos_esperas SET desde = ?3, fecha = ?4 WHERE clave = ?1 AND con = ?2"
_CLOSE: Final = "DELETE FROM ganchos_esperas WHERE clave = ?1 AND con = ?2"
_FOUND: Final = """
    INSERT INTO correos (quien, correo) VALUES (?1, ?2) ON CONFLICT (quien) DO UPDATE SET correo = excluded.correo
"""
_TOLD: Final = "UPDATE correos SET hasta = ?2, enviado = ?3 WHERE quien = ?1"


class Letter(NamedTuple):
    """What a user is to be told: so many answers, the last of which is `upto`. `address` may be empty."""

    address: str
    answers: int
    upto: int


class _Wait(NamedTuple):
    """A row of _WAIT; most columns are NULL for an unknown user."""

    since: int
    address: str | None
    is_silent: int | None
    told: int | None
    sent_ms: int | None
    wrote: int | None

    @property
    def behind(self) -> int:
        """The id up to which no mail is needed. Users who write have seen earlier messages."""
        return max(self.since - 1, self.told or 0, self.wrote or 0)


class Unread:
    """Of one hook."""

    def __init__(self, config: Notify, key: int, chat: Chat) -> None:
        self._unread_ms = round(config.unread * 1_000)
        self._pause_ms = round(config.pause * 1_000)
        self._asks = bool(config.email_url)  # for an address, just before a mail
        self._key = key
        self._chat = chat
        self._store = chat.store
        self._looks = asyncio.Lock()  # closing a wait must not race with a new answer
        self._on_their_way: set[str] = set()
        self.held_back = 0

    def begin(self) -> None:
        """Nothing is on its way."""
        self._on_their_way.clear()

    async def follow(self, messages: Sequence[Message]) -> None:
        """They were read from the log. Raises StoreError."""
        ranges: dict[int, list[int]] = {}
        for message in messages:
            ranges.setdefault(self._store.log_of(message.id), []).append(message.id)
        async with self._looks:
            for log, ids in ranges.items():
                await self._store.run(_OPEN, (self._key, min(ids), max(ids), log))

    async def due(self) -> list[Item]:
        """What is due and not on its way. Raises StoreError."""
        now_ms = self._chat.clock_ms()
        found = []
        for con, since in await self._store.query(_DUE, (self._key, now_ms - self._unread_ms, 2 * MAX_ON_THEIR_WAY)):
            if con in self._on_their_way or len(self._on_their_way) >= MAX_ON_THEIR_WAY:
                continue
            if await self.letter(con) is not None:
                self._on_their_way.add(con)
                body = msgspec.json.encode({"con": con})
                found.append(Item(self, since, now_ms, Event(f"no_leido-{since}", con, body)))
        return found

    async def letter(self, con: str) -> Letter | None:
        """The mail that is due to this user now, or None. Raises StoreError."""
        async with self._looks:
            rows = await self._store.query(_WAIT, (self._key, con))
            if not rows:
                return None
            wait = _Wait(*rows[0])
            answers = await self._store.query(_UNREAD, (con, wait.behind))
            has_address = bool(wait.address) or self._asks
            if not answers or not has_address or wait.is_silent or self._chat.supervision.is_admin(con):
                await self._store.run(_CLOSE, (self._key, con))
                return None
            if await self._is_early(con, answers[0], wait.sent_ms or 0):
                return None
            return Letter(wait.address or "", len(answers), answers[-1][0])

    async def found(self, con: str, address: str) -> None:
        """The address of a user, empty if there is none. Raises StoreError."""
        await self._store.run(_FOUND, (con, address))

    async def told(self, con: str, upto: int) -> None:
        """A mail is on its way, or cannot be: the next look closes the wait or moves it on. Raises StoreError."""
        await self._store.run(_TOLD, (con, upto, self._chat.clock_ms()))

    async def on_taken(self, _item: Item, event: Event) -> None:
        """See Origin."""
        self._on_their_way.discard(event.con)

    async def on_set_aside(self, item: Item, event: Event) -> None:
        """See Origin. It is not kept: the next answer makes another mail."""
        letter = await self.letter(event.con)
        if letter is not None:
            await self.told(event.con, letter.upto)
        await self.on_taken(item, event)

    async def _is_early(self, con: str, first: tuple[int, int], sent_ms: int) -> bool:
        """Whether the mail about the answer `first` is due later; sets the wait's due time."""
        since, fecha = first
        now_ms = self._chat.clock_ms()
        is_held = sent_ms + self._pause_ms > now_ms
        due_ms = max(fecha + self._unread_ms, sent_ms + self._pause_ms)
        if due_ms <= now_ms:
            return False
        await self._store.run(_MOVE, (self._key, con, since, due_ms - self._unread_ms))
        self.held_back += is_held
        return True
