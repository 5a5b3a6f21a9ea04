"""`escribiendo`: a user is writing. Rules C-52 to C-55 of protocol.md.

Nothing of it is stored, and one who does not say it again is taken to have stopped: by whoever closes the lid of a
laptop, nobody is kept waiting. There is a timer for each conversation in which somebody writes at this moment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import msgspec

from chatd.auth import Identity
from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode, parse_fields, parse_user
from chatd.chat.feature import Feature
from chatd.chat.member import Author, Member
from chatd.chat.messages.audience import user_room
from chatd.socketio.namespace import Namespace
from chatd.socketio.socket import Reply

Hearers = Callable[[Identity, str], tuple[str, ...]]


class SayWriting(msgspec.Struct, frozen=True, gc=False):
    """`escribiendo {para, activo}` from a client; other keys are ignored."""

    para: str
    active: bool

    @classmethod
    def parse(cls, args: list[object]) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args, "escribiendo takes one object: {para, activo}.")
        para, active = parse_user(fields.get("para"), "para", EventCode.PARA_INVALID), fields.get("activo")
        if not isinstance(active, bool):
            raise RefusedError(EventCode.ACTIVO_INVALID, "activo must be true or false.")
        return cls(para, active)


class IsWriting(msgspec.Struct, frozen=True, gc=False):
    """`escribiendo`, sent to the users who would get the message."""

    de: str
    para: str
    activo: bool


class Noted(msgspec.Struct, frozen=True, gc=False):
    """The acknowledgement, if the client asked for one."""

    ok: bool = True


class Writing:
    """One user writes to another. The state ends at its deadline."""

    __slots__ = ("_writers", "author", "due_tick", "para", "rooms")

    def __init__(self, writers: Writers, author: Author, para: str) -> None:
        self.due_tick = 0
        self._writers = writers
        self.author = author  # the socket that sent it last
        self.para = para
        self.rooms: tuple[str, ...] = ()  # that got the event

    def on_deadline(self) -> None:
        self._writers.stop(self.author.identity.user, self.para)


class Writers:
    """The users who are writing. `active` is by author and addressee, and holds no others.

    `hearers` returns the rooms that would get a message of an author to an addressee.
    """

    def __init__(self, namespace: Namespace, timeout_s: float, hearers: Hearers) -> None:
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._hearers = hearers
        self.active: dict[str, dict[str, Writing]] = {}

    @property
    def feature(self) -> Feature:
        return Feature(events={"escribiendo": self.say}, on_leave=self._on_leave)

    def say(self, member: Author, args: list[object], reply: Reply | None) -> None:
        try:
            said = SayWriting.parse(args)
        except RefusedError as error:
            member.refuse(reply, error)
            return
        if said.active:
            self._start(member, said.para)
        else:
            self.stop(member.identity.user, said.para)
        if reply is not None:
            reply(Noted())

    def stop(self, user: str, para: str) -> None:
        """`user` has stopped writing, or has sent the message. Does nothing if it was not writing."""
        writing = self.active.get(user, {}).pop(para, None)
        if writing is None:
            return
        if not self.active[user]:
            del self.active[user]
        self._namespace.timers.cancel(writing)
        self._tell(writing, active=False)

    def _on_leave(self, member: Member) -> None:
        """The other sockets of its user may go on."""
        user = member.identity.user
        for writing in list(self.active.get(user, {}).values()):
            if writing.author is member:
                self.stop(user, writing.para)

    def _start(self, member: Author, para: str) -> None:
        """A repeated event is sent again, for sockets that joined since or were too busy to get it."""
        user = member.identity.user
        writings = self.active.setdefault(user, {})
        writing = writings.get(para)
        if writing is None:
            writing = writings[para] = Writing(self, member, para)
        writing.author = member
        writing.rooms = self._hearers(member.identity, para)
        self._namespace.timers.arm(writing, self._timeout_s)
        self._tell(writing, active=True)

    def _tell(self, writing: Writing, *, active: bool) -> None:
        """A stop must arrive; "still writing" is repeated anyway."""
        emit = self._namespace.emit_volatile if active else self._namespace.emit
        event = self.event(writing, active=active)
        emit("escribiendo", event, to=writing.rooms, exclude=(user_room(event.de),))

    @staticmethod
    def event(writing: Writing, *, active: bool) -> IsWriting:
        return IsWriting(writing.author.identity.user, writing.para, active)
