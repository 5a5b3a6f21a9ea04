"""`atencion`: a user asks whether an admin is here to answer. Rule C-78 of protocol.md."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chatd.chat.feature import Feature
from chatd.chat.member import Author
from chatd.socketio.socket import Reply


class Attended(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement. `atendido`: whether an admin is connected."""

    ok: bool = True
    atendido: bool


def attended(is_attended: Callable[[], bool]) -> Feature:
    """`is_attended`: whether any admin is connected. Nothing without an acknowledgement: there is nowhere to answer."""

    def ask(_member: Author, _args: list[object], reply: Reply | None) -> None:
        if reply is not None:
            reply(Attended(atendido=is_attended()))

    return Feature(events={"atencion": ask})
