"""`conversacion`: the state of one conversation, for a page that has just been loaded. Rules C-56 and C-57.

Questions stand in one line in front of the database, with a bound by user. One task for the line, which ends with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from chatd.base.errors import RefusedError
from chatd.base.shares import Shares
from chatd.base.tasks import Tasks
from chatd.chat.events import EventCode, parse_fields, parse_user
from chatd.chat.feature import Feature
from chatd.chat.member import Author
from chatd.chat.presence.presence import Presence
from chatd.engineio.turns import Price
from chatd.socketio.socket import Reply
from chatd.store.base import MessageId, Store, StoreCode, StoreError
from chatd.store.standing import Standing

MAX_WAITING: Final = 1_000
MAX_WAITING_EACH: Final = 100


class Conversation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The acknowledgement; the last two are for admins, where presence is on."""

    ok: bool = True
    leido: str | None
    leido_por: str | None
    en_linea: bool | UnsetType = UNSET
    visto: int | UnsetType | None = UNSET


class Asked(NamedTuple):
    member: Author
    con: str
    reply: Reply


class Standings:
    """Answers `conversacion`."""

    def __init__(self, store: Store, presence: Presence | None) -> None:
        self._store = store
        self._presence = presence
        self._line: deque[Asked] = deque()
        self._shares: Shares[str] = Shares(MAX_WAITING, MAX_WAITING_EACH)
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None

    @property
    def feature(self) -> Feature:
        return Feature(events={"conversacion": self.ask})

    def ask(self, member: Author, args: list[object], reply: Reply | None) -> None:
        """Nothing without an acknowledgement: there is nowhere to answer."""
        if reply is None:
            return
        try:
            self._stand_in_line(Asked(member, _con(args), reply))
        except RefusedError as error:
            member.refuse(reply, error)

    def _stand_in_line(self, asked: Asked) -> None:
        if not self._shares.take(asked.member.identity.user):
            raise RefusedError(StoreCode.BUSY, "too many questions are waiting to be looked up: try again")
        self._line.append(asked)
        asked.member.charge(Price.LOOKUP)
        if self._task is None:
            self._task = self._tasks.start(self._work(), "conversations")

    async def _work(self) -> None:
        try:
            while self._line:
                asked = self._line.popleft()
                self._shares.give_back(asked.member.identity.user)
                if asked.member.is_there:
                    await self._answer(asked)
        finally:
            self._task = None

    async def _answer(self, asked: Asked) -> None:
        user = asked.member.identity.user
        try:
            found = await self._store.library.standing(user, asked.con)
        except StoreError as error:
            asked.member.refuse(asked.reply, error)
        else:
            asked.reply(self._conversation(asked, found))

    def _conversation(self, asked: Asked, found: Standing) -> Conversation:
        read, read_by = _text(found.read), _text(found.read_by)
        if self._presence is None or not asked.member.identity.is_admin:
            return Conversation(leido=read, leido_por=read_by)
        online = self._presence.find(asked.con)
        seen_ms = found.seen_ms if online is None else online.seen_ms
        return Conversation(leido=read, leido_por=read_by, en_linea=online is not None, visto=seen_ms)


def _con(args: list[object]) -> str:
    fields = parse_fields(args, "conversacion takes one object: {con}.")
    return parse_user(fields.get("con"), "con", EventCode.CON_INVALID)


def _text(message_id: MessageId | None) -> str | None:
    return None if message_id is None else str(message_id)
