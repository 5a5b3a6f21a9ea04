"""`nodos`: an admin asks how each node is. Rule N-22."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import msgspec

from chatd.chat.nodes.states import NodeRow


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


def all_nodes(number: int, rows: Iterable[NodeRow]) -> AllNodes:
    return AllNodes(nodo=number, nodos=[OneNode.of(row) for row in rows])
