"""Notes about a user, visible to admins only: `nota` and `notas`. Rule D-14."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

import msgspec

from chatd.chat.chat import Chat
from chatd.chat.events import EventCode, parse_fields, parse_limit, parse_text, parse_user
from chatd.chat.feature import Feature
from chatd.chat.history.historian import within_bytes
from chatd.chat.history.questions import DEFAULT_ROWS, MAX_ROWS, parse_before
from chatd.chat.member import Author
from chatd.socketio.socket import Reply
from chatd.team.work import Work


class Note(msgspec.Struct, frozen=True, gc=False):
    """The event `nota` to admins, and an entry of a page."""

    id: str
    con: str
    de: str
    texto: str
    fecha: int

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        return cls(str(row[0]), *row[1:])


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement of a stored note."""

    ok: bool = True
    id: str
    fecha: int


class NotePage(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement of `notas`: oldest first."""

    ok: bool = True
    notas: list[Note]
    hay_mas: bool


class WriteNote(msgspec.Struct, frozen=True, gc=False):
    """`nota {con, texto}`; other keys are ignored."""

    con: str
    texto: str

    @classmethod
    def parse(cls, args: list[object], max_chars: int) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args, "nota takes one object: {con, texto}.")
        con = parse_user(fields.get("con"), "con", EventCode.CON_INVALID)
        return cls(con, parse_text(fields.get("texto"), "texto", EventCode.TEXTO_INVALID, max_chars))


class AskNotes(msgspec.Struct, frozen=True, gc=False):
    """`notas {con, antes?, limite?}`."""

    con: str
    before: int
    limit: int

    @classmethod
    def parse(cls, args: list[object]) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args, "notas takes one object: {con, antes?, limite?}.")
        con = parse_user(fields.get("con"), "con", EventCode.CON_INVALID)
        return cls(con, parse_before(fields), parse_limit(fields, DEFAULT_ROWS, MAX_ROWS))


class Notes:
    """One for the team."""

    def __init__(self, chat: Chat, work: Work) -> None:
        self._chat = chat
        self._work = work
        self._max_rows = chat.historian.max_rows
        self._max_chars = chat.config.max_message_chars

    @property
    def feature(self) -> Feature:
        return Feature(events={"nota": self._write, "notas": self._ask})

    def _write(self, member: Author, args: list[object], reply: Reply | None) -> None:
        def write() -> Any:
            note = WriteNote.parse(args, self._max_chars)
            self._chat.limits.check_chars(member.identity.user, len(note.texto))
            return self._store(member.identity.user, note)

        self._work.begin(member, "nota", reply, write)

    def _ask(self, member: Author, args: list[object], reply: Reply | None) -> None:
        if reply is not None:
            self._work.begin(member, "notas", reply, lambda: self._page(AskNotes.parse(args)))

    async def _store(self, admin: str, asked: WriteNote) -> Noted:
        number, fecha = self._chat.ids.next(), self._chat.clock_ms()
        await self._chat.store.run(_INSERT, (number, asked.con, admin, asked.texto, fecha))
        note = Note(str(number), asked.con, admin, asked.texto, fecha)
        self._chat.tell_admins("nota", note)
        return Noted(id=note.id, fecha=fecha)

    async def _page(self, asked: AskNotes) -> NotePage:
        limit = min(asked.limit, self._max_rows)
        rows = await self._chat.store.query(_PAGE, (asked.con, asked.before, limit + 1))
        notes = within_bytes([Note.of(row) for row in rows[:limit]])
        return NotePage(notas=notes[::-1], hay_mas=len(notes) < len(rows))


_INSERT: Final = "INSERT INTO notas (id, con, de, texto, fecha) VALUES (?1, ?2, ?3, ?4, ?5)"
_PAGE: Final = "SELECT id, con, de, texto, fecha FROM notas WHERE con = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
