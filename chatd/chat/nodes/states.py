"""What each node says of itself, about once a second, and what is known of all of them. Pure. Rule N-22.

State  [11, origin, version, phase, up_s, clients, users, missing, position]
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from chatd.chat.messages.ids import MAX_NODE

TAG: Final = 11

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Phase(enum.StrEnum):
    """Where a node is in its life. A node says the first four of itself; the last is what others find."""

    READY = "ready"
    BEHIND = "behind"
    STOPPING = "stopping"
    ENDED = "ended"
    GONE = "gone"


class State(msgspec.Struct, array_like=True, tag=TAG, frozen=True, forbid_unknown_fields=True):
    """Of `origin`. `missing`: messages of other nodes that it has not delivered yet, at least. `position`: N-06."""

    origin: Annotated[int, msgspec.Meta(ge=0, le=MAX_NODE)]
    version: Annotated[str, msgspec.Meta(max_length=64)]
    phase: Phase
    up_s: Count
    clients: Count
    users: Count
    missing: Count
    position: Annotated[str, msgspec.Meta(max_length=1_024)]


@dataclasses.dataclass(frozen=True, slots=True)
class NodeRow:
    """The state of a node. `silent_s`: seconds since its last frame. `asked`: it is the node that answers."""

    node: int
    state: Phase
    version: str
    up_s: int
    clients: int
    users: int
    silent_s: float
    behind: int
    position: str
    asked: bool


def row(state: State, silent_s: float, phase: Phase | None = None, *, asked: bool = False) -> NodeRow:
    """`phase` is another one than the node said last."""
    return NodeRow(
        node=state.origin,
        state=state.phase if phase is None else phase,
        version=state.version,
        up_s=state.up_s,
        clients=state.clients,
        users=state.users,
        silent_s=round(silent_s, 3),
        behind=state.missing,
        position=state.position,
        asked=asked,
    )


class States:
    """The last State of each other node since the start. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._heard: dict[int, tuple[State, float]] = {}

    def hear(self, state: State, now_s: float) -> None:
        self._heard[state.origin] = (state, now_s)

    def has_ended(self, node: int) -> bool:
        return node in self._heard and self._heard[node][0].phase is Phase.ENDED

    @property
    def unended(self) -> set[int]:
        """The nodes that have not stopped in order: living ones and lost ones."""
        return {node for node in self._heard if not self.has_ended(node)}

    def rows(self, silent_s: dict[int, float], now_s: float) -> Iterator[NodeRow]:
        """`silent_s` is of the nodes that live."""
        for node, (state, heard_s) in self._heard.items():
            lives = node in silent_s or state.phase is Phase.ENDED
            yield row(state, silent_s.get(node, now_s - heard_s), None if lives else Phase.GONE)
