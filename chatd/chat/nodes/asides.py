"""Sends events other than messages to the other nodes: `escribiendo`, `leido`, `no_leido`, `leido_todo`, and events for
admins. Rule N-11.

    Aside  [3, origin, event, args, to, exclude, volatile]
    Back   [5, origin, user, sid]

If the bus loses one, it is not sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec

from chatd.chat.history.receipts import Asked, ReadBy, ReadElsewhere, Receipts
from chatd.chat.history.unread import Own, OwnEvent, Unread
from chatd.chat.member import Author
from chatd.chat.messages.audience import user_room
from chatd.chat.messages.ids import MAX_NODE
from chatd.chat.messages.writing import Writers, Writing
from chatd.cluster.core.frame import FrameError
from chatd.socketio.namespace import Namespace

_TAG: Final = 3
_BACK: Final = 5

Rooms = Annotated[tuple[str, ...], msgspec.Meta(max_length=8)]


class Aside(msgspec.Struct, array_like=True, tag=_TAG, frozen=True, forbid_unknown_fields=True):
    """An event for the rooms `to`. `volatile`: as Namespace.emit_volatile."""

    origin: Annotated[int, msgspec.Meta(ge=0, le=MAX_NODE)]
    event: Literal["escribiendo", "leido", "no_leido", "leido_todo", "caso", "nota", "respuesta"]
    args: list[Any]
    to: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=8)]
    exclude: Rooms = ()
    volatile: bool = False

    def emit(self, namespace: Namespace) -> None:
        """Emit it to the sockets of this node. Raises FrameError for a form that no node sends.

        The last argument must be an object: clients take a text at the end of an event for its offset.
        """
        emit = namespace.emit_volatile if self.volatile else namespace.emit
        if not self.args or not isinstance(self.args[-1], dict):
            raise FrameError("the last argument of an event is no object")
        try:
            emit(self.event, *self.args, to=self.to, exclude=self.exclude)
        except (TypeError, ValueError, RecursionError) as error:
            raise FrameError(f"no event: {type(error).__name__}") from error


class Back(msgspec.Struct, array_like=True, tag=_BACK, frozen=True, forbid_unknown_fields=True):
    """A socket of that user has reconnected to `origin`: other nodes end the old one. Rule N-13."""

    origin: Annotated[int, msgspec.Meta(ge=0, le=MAX_NODE)]
    user: str
    sid: str


Cast = Callable[[Aside | Back], None]


class NodeWriters(Writers):
    """Writers that also send their events to the other nodes."""

    def __init__(self, cast: Cast, origin: int, *parts: Any) -> None:
        super().__init__(*parts)
        self._cast = cast
        self._origin = origin

    def _tell(self, writing: Writing, *, active: bool) -> None:
        super()._tell(writing, active=active)
        event = self.event(writing, active=active)
        exclude = (user_room(event.de),)
        self._cast(Aside(self._origin, "escribiendo", [event], writing.rooms, exclude, volatile=active))


class NodeReceipts(Receipts):
    """Receipts that also send their events to the other nodes."""

    def __init__(self, cast: Cast, origin: int, *parts: Any) -> None:
        super().__init__(*parts)
        self._cast = cast
        self._origin = origin

    def _tell(self, asked: Asked) -> None:
        super()._tell(asked)
        reader, con = asked.key
        hasta = str(asked.mark.hasta)
        self._cast(Aside(self._origin, "leido", [ReadElsewhere(con, hasta)], (user_room(reader),)))
        if con != reader:
            self._cast(Aside(self._origin, "leido", [ReadBy(reader, hasta)], (user_room(con),)))


class NodeUnread(Unread):
    """Unread that also send their events to the other nodes."""

    def __init__(self, cast: Cast, origin: int, *parts: Any) -> None:
        super().__init__(*parts)
        self._cast = cast
        self._origin = origin

    def _tell(self, member: Author, event: OwnEvent, mark: Own) -> None:
        super()._tell(member, event, mark)
        self._cast(Aside(self._origin, event, [mark], (user_room(member.identity.user),)))


def gone_back(aside: Aside) -> tuple[str, str] | None:
    """The user and the conversation that `aside` marks as unread; None for other events."""
    if aside.event != "no_leido":
        return None
    return aside.to[0].removeprefix(user_room("")), str(aside.args[0].get("con"))
