"""Routes each client event to its feature. Rules C-13 and C-14."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from chatd.base.errors import RefusedError
from chatd.chat.config import ChatConfig
from chatd.chat.events import EventCode
from chatd.chat.feature import Feature, Handler
from chatd.chat.limits import ChatLimits, TooFastError
from chatd.chat.member import Author, Member
from chatd.socketio.socket import EventName, Reply

log = logging.getLogger("chatd.chat")


class ChatRouter:
    """Routes the events of one namespace."""

    def __init__(self, limits: ChatLimits, features: Iterable[Feature]) -> None:
        self._limits = limits
        self._routes: dict[EventName, Handler] = {}
        self._joins: tuple[Callable[[Member], None], ...] = ()
        self._leaves: tuple[Callable[[Member], None], ...] = ()
        self._on_system: tuple[Callable[[str], None], ...] = ()
        self._uses: tuple[Callable[[ChatConfig], None], ...] = ()
        self.received = 0  # events, whatever becomes of them
        self.refused: Counter[str] = Counter()  # of those, by code
        for feature in features:
            self.add(feature)

    def add(self, feature: Feature) -> None:
        """Before the first client comes. An event that is there already is the new feature's from now on."""
        self._routes |= feature.events
        if feature.on_join is not None:
            self._joins = (*self._joins, feature.on_join)
        if feature.on_leave is not None:
            self._leaves = (feature.on_leave, *self._leaves)
        if feature.use is not None:
            self._uses = (*self._uses, feature.use)
        if feature.on_system is not None:
            self._on_system = (*self._on_system, feature.on_system)

    def handler(self, event: EventName) -> Handler:
        """What answers `event` now. Raises KeyError."""
        return self._routes[event]

    def on_join(self, member: Member) -> None:
        for on_join in self._joins:
            on_join(member)

    def on_leave(self, member: Member) -> None:
        """The feature that was first at the join is last here."""
        for on_leave in self._leaves:
            on_leave(member)

    def use(self, config: ChatConfig) -> None:
        """Other settings from now on: each feature takes over its live ones."""
        for use in self._uses:
            use(config)

    def on_system(self, name: str) -> None:
        for on_system in self._on_system:
            on_system(name)

    def route(self, member: Author, event: EventName, args: list[object], reply: Reply | None) -> None:
        """An unknown event is refused if it asks for an acknowledgement, and ignored otherwise."""
        self.received += 1
        try:
            check = self._limits.check_typing if event == "escribiendo" else self._limits.check_pace
            check(member.identity.user)
        except TooFastError as error:
            if reply is not None or event != "escribiendo":  # rule C-54
                member.refuse(reply, error)
            if error.persistent:
                log.warning("user expelled: too many messages, for too long", extra=member.logged)
                member.expel(error.code, "Too many messages, for too long.")
            return
        handle = self._routes.get(event)
        if handle is not None:
            handle(member, args, reply)
        elif reply is not None:
            member.refuse(reply, RefusedError(EventCode.UNKNOWN_EVENT, f"There is no event {str(event)[:64]!r}."))
