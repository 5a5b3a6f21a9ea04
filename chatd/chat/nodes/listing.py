"""`nodos`: an admin asks how each node is. Rule N-22."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Self

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode
from chatd.chat.feature import Feature
from chatd.chat.member import Author
from chatd.chat.nodes.states import NodeRow
from chatd.socketio.socket import Reply


class OneNode(msgspec.Struct, frozen=True, gc=False):
    """`oido_ms`: how long ago it was last heard; `atraso`: messages that it has not delivered yet, at least."""

    nodo: int
    estado: str
    version: str
    activo_s: int
    sockets: int
    usuarios: int
    oido_ms: int
    atraso: int

    @classmethod
    def of(cls, row: NodeRow) -> Self:
        heard_ms = round(row.silent_s * 1000)
        return cls(row.node, row.state.value, row.version, row.up_s, row.clients, row.users, heard_ms, row.behind)


class AllNodes(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement; `nodo` is the one that says so."""

    ok: bool = True
    nodo: int
    nodos: list[OneNode]


def node_list(number: int, rows: Callable[[], Iterable[NodeRow]]) -> Feature:
    """`number` is that of this node. Nothing without an acknowledgement: there is nowhere to answer."""

    def ask(member: Author, _args: list[object], reply: Reply | None) -> None:
        if reply is None:
            return
        if member.identity.is_admin:
            reply(AllNodes(nodo=number, nodos=[OneNode.of(row) for row in rows()]))
        else:
            member.refuse(reply, RefusedError(EventCode.ADMINS_ONLY, "nodos is for admins."))

    return Feature(events={"nodos": ask})
