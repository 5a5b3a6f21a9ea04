"""Canned replies of the team: `respuestas` lists them, `respuesta` changes one. Rule D-15."""

from __future__ import annotations

from typing import Final, Self

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.chat import Chat
from chatd.chat.events import EventCode, parse_fields, parse_text
from chatd.chat.feature import Feature
from chatd.chat.history.historian import within_bytes
from chatd.chat.member import Author
from chatd.socketio.socket import Reply
from chatd.team.work import Work

MAX_REPLIES: Final = 500
MAX_SHORTCUT_CHARS: Final = 32
MAX_REPLY_CHARS: Final = 2_000


class Canned(msgspec.Struct, frozen=True, gc=False):
    """One canned reply, None as text deletes it. The event `respuesta` to and from admins."""

    atajo: str
    texto: str | None

    @classmethod
    def parse(cls, args: list[object]) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args, "respuesta takes one object: {atajo, texto}.")
        texto = fields.get("texto")
        return cls(
            parse_shortcut(fields.get("atajo")),
            None if texto is None else parse_text(texto, "texto", EventCode.TEXTO_INVALID, MAX_REPLY_CHARS),
        )


class RepliesPage(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement of `respuestas`, in the order of the shortcuts."""

    ok: bool = True
    respuestas: list[Canned]
    hay_mas: bool


class Changed(msgspec.Struct, frozen=True):
    """The acknowledgement of a stored change."""

    ok: bool = True


class Replies:
    """One for the team."""

    def __init__(self, chat: Chat, work: Work) -> None:
        self._chat = chat
        self._work = work

    @property
    def feature(self) -> Feature:
        return Feature(events={"respuestas": self._ask, "respuesta": self._change})

    def _ask(self, member: Author, args: list[object], reply: Reply | None) -> None:
        if reply is not None:
            self._work.begin(member, "respuestas", reply, lambda: self._page(_after(args)))

    def _change(self, member: Author, args: list[object], reply: Reply | None) -> None:
        admin = member.identity.user
        self._work.begin(member, "respuesta", reply, lambda: self._store(admin, Canned.parse(args)))

    async def _page(self, after: str) -> RepliesPage:
        rows = await self._chat.store.query(_PAGE, (after, MAX_REPLIES))
        fit = within_bytes([Canned(*row) for row in rows])
        return RepliesPage(respuestas=fit, hay_mas=len(fit) < len(rows))

    async def _store(self, admin: str, asked: Canned) -> Changed:
        store = self._chat.store
        if asked.texto is None:
            await store.run(_DELETE, (asked.atajo,))
        elif not await store.run(_PUT, (asked.atajo, asked.texto, admin, self._chat.clock_ms(), MAX_REPLIES)):
            raise RefusedError(EventCode.TOO_MANY_REPLIES, f"The team has {MAX_REPLIES} replies, which is all it may.")
        self._chat.tell_admins("respuesta", asked)
        return Changed()


def parse_shortcut(value: object) -> str:
    """The shortcut of a reply, without the slash. Raises RefusedError."""
    shortcut = parse_text(value, "atajo", EventCode.ATAJO_INVALID, MAX_SHORTCUT_CHARS)
    if not all(letter.isalnum() or letter in "-_" for letter in shortcut):
        raise RefusedError(EventCode.ATAJO_INVALID, "atajo is made of letters, digits, - and _.")
    return shortcut


def _after(args: list[object]) -> str:
    value = parse_fields(args or [{}], "respuestas takes one object: {despues?}.").get("despues")
    return "" if value is None else parse_shortcut(value)


_PAGE: Final = "SELECT atajo, texto FROM respuestas WHERE atajo > ?1 ORDER BY atajo LIMIT ?2"
_DELETE: Final = "DELETE FROM respuestas WHERE atajo = ?1"
_PUT: Final = """
    INSERT INTO respuestas (atajo, texto, de, fecha) SELECT ?1, ?2, ?3, ?4
    WHERE (SELECT count(*) FROM respuestas WHERE atajo <> ?1) < ?5
    ON CONFLICT (atajo) DO UPDATE SET texto = excluded.texto, de = excluded.de, fecha = excluded.fecha
    RETURNING atajo
"""
