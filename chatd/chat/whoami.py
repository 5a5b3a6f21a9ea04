"""`quien_soy`: a client asks who its token says it is. Rule C-60 of protocol.md.

A page's script cannot read a cookie that is HttpOnly, as the cookie of a login should be.
"""

from __future__ import annotations

from typing import Final

import msgspec

from chatd.chat.feature import Feature
from chatd.chat.member import Author
from chatd.socketio.socket import Reply


class WhoAmI(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement."""

    ok: bool = True
    user: str
    name: str
    rol: str


def _answer(member: Author, _args: list[object], reply: Reply | None) -> None:
    if reply is not None:
        identity = member.identity
        reply(WhoAmI(user=identity.user, name=identity.name, rol=identity.rol))


WHO_AM_I: Final = Feature(events={"quien_soy": _answer})
