"""`sin_respuesta`: a user waits for an answer. Rules W-09 and W-10.

Who waits is a table that follows the log: a user's first message opens a wait. Before the receiver is told, the log
itself is asked whether an admin has answered since; so neither the order in which several nodes commit nor reading a
part of the log twice makes a difference. A wait that was told stays until it is answered: until then, later messages
open no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chatd.chat.chat import Chat
from chatd.chat.messages.ids import MAX_NODE, SEQUENCE_BITS
from chatd.store.base import Message
from chatd.store.positions import WHOLE
from chatd.team.casesql import is_admin, is_question
from chatd.webhooks.config import Webhook
from chatd.webhooks.events import Event, unanswered
from chatd.webhooks.lines import Item
from chatd.webhooks.memory import Memory, key_of

MAX_ON_THEIR_WAY: Final = 64

# ruff: noqa: S608 - words of ours


def _is_answer(m: str) -> str:
    return f"{m}.de <> {m}.para AND ({m}.supervisado = 0 OR {is_admin(f'{m}.de')})"


def _answered(con: str) -> str:
    """The last message to `con` that an admin wrote. Two walks along an index, since one of both kinds is none."""
    of_kind = (
        "(SELECT a.id FROM mensajes AS a WHERE a.para = {con} AND a.supervisado = {kind} AND {is_answer} "
        "ORDER BY a.id DESC LIMIT 1)"
    )
    private, team = (of_kind.format(con=con, kind=kind, is_answer=_is_answer("a")) for kind in (0, 1))
    return f"(SELECT max(r.id) FROM (SELECT {private} AS id UNION ALL SELECT {team}) AS r)"


_IN_RANGE: Final = f"m.id >= ?2 AND m.id <= ?3 AND (?4 = {WHOLE} OR ((m.id >> {SEQUENCE_BITS}) & {MAX_NODE}) = ?4)"

_OPEN: Final = f"""
    INSERT INTO ganchos_esperas (clave, con, desde, fecha, avisado)
    SELECT CAST(?1 AS bigint), q.con, q.desde, (SELECT fecha FROM mensajes WHERE id = q.desde), 0
    FROM (
        SELECT m.de AS con, min(m.id) AS desde FROM mensajes AS m WHERE {_IN_RANGE} AND {is_question("m")} GROUP BY m.de
    ) AS q WHERE true
    ON CONFLICT (clave, con) DO NOTHING
"""

# One that was told is looked at again.
_ANSWER: Final = f"""
    UPDATE ganchos_esperas SET avisado = 0 WHERE clave = ?1 AND avisado = 1
    AND con IN (SELECT m.para FROM mensajes AS m WHERE {_IN_RANGE} AND {_is_answer("m")})
    AND {_answered("ganchos_esperas.con")} > desde
"""

_DUE: Final = f"""
    SELECT con, desde, fecha, {_answered("ganchos_esperas.con")} AS respuesta FROM ganchos_esperas
    WHERE clave = ?1 AND avisado = 0 AND fecha <= ?2 ORDER BY fecha LIMIT ?3
"""

_NEXT: Final = f"""
    SELECT m.id, m.fecha FROM mensajes AS m INDEXED BY mensajes_de
    WHERE m.de = ?1 AND m.supervisado = 1 AND m.id > ?2 AND {is_question("m")} ORDER BY m.id LIMIT 1
"""
_MOVE: Final = "UPDATE ganchos_esperas SET desde = ?3, fecha = ?4 WHERE clave = ?1 AND con = ?2"
_CLOSE: Final = "DELETE FROM ganchos_esperas WHERE clave = ?1 AND con = ?2"
_TOLD: Final = "UPDATE ganchos_esperas SET avisado = 1 WHERE clave = ?1 AND con = ?2 AND desde = ?3"


class Attendance:
    """Since when no admin is connected, as far as this process knows. A chat that it cannot see all of is attended."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._since_ms: int | None = None

    def absent_ms(self, now_ms: int) -> int:
        """For how long; 0 while one is there."""
        if not self._chat.sees_all or self._chat.supervision.is_attended():
            self._since_ms = None
        elif self._since_ms is None:
            self._since_ms = now_ms
        return 0 if self._since_ms is None else now_ms - self._since_ms


class Waits:
    """Of one hook."""

    def __init__(self, config: Webhook, memory: Memory, chat: Chat) -> None:
        self._config = config
        self._memory = memory
        self._key = key_of(config.name)
        self._chat = chat
        self._store = chat.store
        self._attendance = Attendance(chat)
        self._not_before_ms = 0
        self._on_their_way: set[str] = set()

    async def follow(self, messages: Sequence[Message]) -> None:
        """They were read from the log. Raises StoreError."""
        ranges: dict[int, list[int]] = {}
        for message in messages:
            ranges.setdefault(self._store.log_of(message.id), []).append(message.id)
        for log, ids in ranges.items():
            for sql in (_OPEN, _ANSWER):
                await self._store.run(sql, (self._key, min(ids), max(ids), log))

    async def due(self) -> list[Item]:
        """The events that are due and not on their way. Raises StoreError."""
        now_ms = self._chat.clock_ms()
        if now_ms < self._not_before_ms:
            return []
        is_absent = self._attendance.absent_ms(now_ms) >= self._config.unattended * 1_000
        until_ms = now_ms if is_absent else now_ms - round(self._config.unanswered * 1_000)
        rows = await self._store.query(_DUE, (self._key, until_ms, 2 * MAX_ON_THEIR_WAY))
        found = []
        for con, since, fecha, answered in rows:
            if con in self._on_their_way or len(self._on_their_way) >= MAX_ON_THEIR_WAY:
                continue
            if self._chat.supervision.is_admin(con):
                await self._store.run(_CLOSE, (self._key, con))
            elif answered is not None and answered > since:
                await self._move(con, answered)
            else:
                self._on_their_way.add(con)
                found.append(Item(self, since, now_ms, unanswered(con, since, fecha)))
        if found:
            self._not_before_ms = now_ms + round(self._config.pause * 1_000)
        return found

    async def on_taken(self, item: Item, event: Event) -> None:
        """See Origin."""
        await self._store.run(_TOLD, (self._key, event.con, item.id))
        self._on_their_way.discard(event.con)

    async def on_set_aside(self, item: Item, event: Event) -> None:
        """See Origin."""
        await self._memory.keep(event)
        await self.on_taken(item, event)

    async def _move(self, con: str, answered: int) -> None:
        """To the first message that is not answered; the end of the wait if there is none."""
        rows = await self._store.query(_NEXT, (con, answered))
        if rows:
            await self._store.run(_MOVE, (self._key, con, *rows[0]))
        else:
            await self._store.run(_CLOSE, (self._key, con))
