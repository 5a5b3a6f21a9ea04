"""`firma`: a user asks for the display name of an admin who has written to it. Rule D-17.

Only with `--admin-names on`, because the site decides whether users see names of admins.
"""

from __future__ import annotations

import functools
from typing import Final

import msgspec

from chatd.chat.chat import Chat
from chatd.chat.events import EventCode, parse_fields, parse_user
from chatd.chat.feature import Feature
from chatd.chat.history.historian import Historian
from chatd.chat.member import Author
from chatd.socketio.socket import Reply
from chatd.team.names import Role

# ruff: noqa: S608 - the inserted texts are constants of this package


class Signature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The acknowledgement. No `nombre`: the user `con` is not an admin, or never wrote to the reader."""

    ok: bool
    nombre: str | None = None


class Signatures:
    """One for the team."""

    def __init__(self, chat: Chat) -> None:
        self._store = chat.store
        self._historian: Historian = chat.historian

    @property
    def feature(self) -> Feature:
        return Feature(events={"firma": self._ask})

    def _ask(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self._historian.begin(member, reply, functools.partial(self._find, member.identity.user, args))

    async def _find(self, reader: str, args: list[object]) -> Signature:
        fields = parse_fields(args, "firma takes one object: {con}.")
        author = parse_user(fields.get("con"), "con", EventCode.CON_INVALID)
        found = await self._store.query(_NAME, (author, reader))
        return Signature(ok=True, nombre=found[0][0] if found else None)


def _wrote(index: str, supervised: int) -> str:
    return f"""EXISTS (SELECT 1 FROM mensajes AS m INDEXED BY {index}
        WHERE m.para = ?2 AND m.supervisado = {supervised} AND m.de = ?1)"""


_NAME: Final = f"""
    SELECT nombre FROM nombres WHERE quien = ?1 AND admin = {Role.ADMIN}
    AND ({_wrote("mensajes_para", 1)} OR {_wrote("mensajes_privados", 0)})
"""
