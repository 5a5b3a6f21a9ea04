"""`conectados`: an admin asks for the users online. Rule C-48 of protocol.md."""

from __future__ import annotations

from typing import Final, Self

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.events import MAX_USER_CHARS, EventCode, parse_fields, parse_limit
from chatd.chat.feature import Feature
from chatd.chat.member import Author, Member
from chatd.chat.presence.presence import Presence
from chatd.socketio.socket import Reply

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 500
"""With the longest names that is 300 KB: a third of what may wait for a connection."""


class AskConnected(msgspec.Struct, frozen=True, gc=False):
    """`conectados {limite?, despues?}`, or nothing at all."""

    limit: int
    after: str

    @classmethod
    def parse(cls, args: list[object]) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args or [{}], "conectados takes one object, {limite?, despues?}.")
        return cls(parse_limit(fields, DEFAULT_LIMIT, MAX_LIMIT), _after(fields.get("despues")))


class ConnectedUser(msgspec.Struct, frozen=True, gc=False):
    """A user who is connected; `desde` is milliseconds since 1970."""

    user: str
    sockets: int
    desde: int


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement. `total` counts all users online."""

    ok: bool = True
    conectados: list[ConnectedUser]
    total: int
    hay_mas: bool


class Connections:
    """Reports each socket to presence, and answers admins who ask for the users online."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    @property
    def feature(self) -> Feature:
        return Feature(events={"conectados": self.ask}, on_join=self._on_join, on_leave=self._on_leave)

    def ask(self, member: Author, args: list[object], reply: Reply | None) -> None:
        """Nothing without an acknowledgement: there is nowhere to answer."""
        if reply is None:
            return
        try:
            if not member.identity.is_admin:
                raise RefusedError(EventCode.ADMINS_ONLY, "conectados is for admins.")
            reply(self._page(AskConnected.parse(args)))
        except RefusedError as error:
            member.refuse(reply, error)

    def _page(self, asked: AskConnected) -> Connected:
        """Costs the page, however many there are."""
        page, more = self._presence.page(asked.after, asked.limit)
        users = [ConnectedUser(online.user, online.sockets, online.since_ms) for online in page]
        return Connected(conectados=users, total=len(self._presence), hay_mas=more)

    def _on_join(self, member: Member) -> None:
        self._presence.came(member.identity.user)

    def _on_leave(self, member: Member) -> None:
        self._presence.left(member.identity.user)


def _after(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_USER_CHARS:
        raise RefusedError(
            EventCode.DESPUES_INVALID, "despues must be the name of a user: the last of the page before."
        )
    return value
