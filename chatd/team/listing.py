"""The team's answers to `conversaciones`, `no_leidos`, `conversacion` and `conectados` of admins.

They have more fields than the answers without a team: names, cases, counts. Users get the same answers as without a
team. Rules D-04, D-05, D-12, D-13, D-16 and D-18.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from chatd.base.tasks import Tasks
from chatd.chat.chat import Chat
from chatd.chat.events import parse_fields
from chatd.chat.feature import Feature
from chatd.chat.history.historian import MAX_UNREAD, Historian, within_bytes
from chatd.chat.history.questions import AskUnread, PastMessage, UnreadCounts
from chatd.chat.member import Author
from chatd.socketio.socket import Reply
from chatd.store.base import MessageId, StoreError
from chatd.store.conversations import Unread
from chatd.store.history import LAST_ID, Past
from chatd.team import listsql
from chatd.team.asklist import AskTeamList, Place
from chatd.team.case import Case
from chatd.team.cases import Cases
from chatd.team.folding import anywhere
from chatd.team.listsql import Kind, Walk
from chatd.team.names import Known, Names

MAX_STRETCHES: Final = 100
"""Statements in one search, each over `listsql.SCANNED` names: a million names in total."""


class TeamEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One conversation of the list. `nombre`: if known; `rol`: for an admin; `caso`: for a user."""

    con: str
    ultimo: PastMessage
    no_leidos: int
    nombre: str | None = None
    rol: str | None = None
    caso: Case | None = None


class Found(NamedTuple):
    """An entry, and the id of the first unanswered question of its user, None if there is none."""

    entry: TeamEntry
    waits_since: int | None

    @property
    def last_id(self) -> int:
        return int(self.entry.ultimo.id)

    @property
    def place(self) -> Place:
        """The position of this entry in the order by waiting time, for `sigue`."""
        if self.waits_since is not None:
            return Place(Walk.WAITING, self.waits_since)
        return Place(Walk.ANSWERED, self.last_id)


class TeamList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The acknowledgement of `conversaciones`. `cuentas`: only in the first page; `sigue`: only with `orden`."""

    ok: bool
    conversaciones: list[TeamEntry]
    hay_mas: bool
    sigue: str | None = None
    cuentas: dict[str, int] | None = None


class _Completed:
    """A Reply that passes the chat's answer to `then`, which adds fields to it."""

    __slots__ = ("_then",)

    def __init__(self, then: Callable[[object], None]) -> None:
        self._then = then

    def __call__(self, *args: object) -> None:
        self._then(args[0])


class Listing:
    """Replaces the chat's own handlers of these events."""

    def __init__(self, chat: Chat, names: Names, cases: Cases) -> None:
        self._in_chat = {event: chat.router.handler(event) for event in ("conversacion", "conectados")}
        self._historian: Historian = chat.historian
        self._max_rows = self._historian.max_rows
        self._store = chat.store
        self._names = names
        self._cases = cases
        self._tasks = Tasks()

    @property
    def feature(self) -> Feature:
        return Feature(
            events={
                "conversaciones": self._conversations,
                "no_leidos": self._unread,
                "conversacion": self._conversation,
                "conectados": self._connected,
            }
        )

    # The list.

    def _conversations(self, member: Author, args: list[object], reply: Reply | None) -> None:
        if not member.identity.is_admin:
            self._historian.conversations(member, args, reply)
            return
        admin = member.identity.user
        self._historian.begin(member, reply, lambda: self._list(admin, AskTeamList.parse(args)))

    async def _list(self, admin: str, asked: AskTeamList) -> TeamList:
        await self._cases.caught_up()
        limit = min(asked.limit, self._max_rows)
        found = await self._found(admin, asked, limit + 1)
        listed = within_bytes(each.entry for each in found[:limit])
        has_more = len(listed) < len(found)
        return TeamList(
            ok=True,
            conversaciones=await self._named(listed),
            hay_mas=has_more,
            sigue=str(found[len(listed) - 1].place) if has_more and asked.place is not None else None,
            cuentas=await self._counts(admin) if asked.is_first else None,
        )

    async def _found(self, admin: str, asked: AskTeamList, rows: int) -> list[Found]:
        if asked.prefix is not None:
            return await self._search(admin, asked.prefix, rows)
        if asked.place is not None:
            return await self._by_waiting(admin, asked.kind, asked.place, rows)
        if asked.kind is Kind.UNANSWERED:
            return await self._waiting(admin, asked.before, rows)
        return await self._recent(admin, asked.kind, asked.before, rows)

    async def _page(self, admin: str, kind: Kind | None, walk: Walk, start: int, rows: int) -> list[Found]:
        return [_found(row) for row in await self._store.query(listsql.listed(kind, walk), (admin, start, rows))]

    async def _waiting(self, admin: str, before: int, rows: int) -> list[Found]:
        """Waiting users, longest wait first. `before`: the last message of the last entry of the previous page."""
        after = -1
        if before != LAST_ID:
            found = await self._store.query(listsql.WAITED_SINCE, (before,))
            after = (found[0][0] or -1) if found else -1
        return await self._page(admin, Kind.UNANSWERED, Walk.WAITING, after, rows)

    async def _by_waiting(self, admin: str, kind: Kind | None, place: Place, rows: int) -> list[Found]:
        """Waiting users, longest wait first; then users without an unanswered question, most recent first."""
        waiting: list[Found] = []
        before = place.at
        if place.walk is Walk.WAITING:
            waiting = await self._page(admin, kind, Walk.WAITING, place.at, rows)
            before = LAST_ID
        if len(waiting) == rows or kind is Kind.UNANSWERED:
            return waiting
        return waiting + await self._recent(admin, kind, before, rows - len(waiting), Walk.ANSWERED)

    async def _recent(
        self, admin: str, kind: Kind | None, before: int, rows: int, walk: Walk = Walk.RECENT
    ) -> list[Found]:
        """Conversations, most recent first. Without `kind`, private ones with other admins are included."""
        users = await self._page(admin, kind, walk, before, rows)
        if kind is not None:
            return users
        colleagues = [_colleague(row) for row in await self._store.query(listsql.COLLEAGUES, (admin,))]
        both = users + [each for each in colleagues if each.last_id < before]
        return sorted(both, key=lambda each: -each.last_id)[:rows]

    async def _search(self, admin: str, sought: str, rows: int) -> list[Found]:
        found: list[Found] = []
        after = ""
        for _ in range(MAX_STRETCHES):
            stretch = await self._store.query(listsql.FOUND, (admin, anywhere(sought), after, rows - len(found)))
            found += [_found(row) for row in stretch]
            [(end, count)] = await self._store.query(listsql.STRETCH_END, (after,))
            if len(found) >= rows or count < listsql.SCANNED:
                break
            after = end
        return found

    async def _named(self, listed: Sequence[TeamEntry]) -> list[TeamEntry]:
        known = await self._names.look_up([each.con for each in listed])
        return [_with_name(each, known.get(each.con)) for each in listed]

    async def _counts(self, admin: str) -> dict[str, int]:
        [counts] = await self._store.query(listsql.COUNTS, (admin,))
        return {kind.value: count for kind, count in zip(Kind, counts, strict=True)}

    # What is unread.

    def _unread(self, member: Author, args: list[object], reply: Reply | None) -> None:
        if not member.identity.is_admin:
            self._historian.unread(member, args, reply)
            return
        admin = member.identity.user
        self._historian.begin(member, reply, lambda: self._count_unread(admin, AskUnread.parse(args)))

    async def _count_unread(self, admin: str, asked: AskUnread) -> UnreadCounts:
        await self._cases.caught_up()
        if asked.con is not None:
            rows = await self._store.query(listsql.UNREAD_WITH, (admin, asked.con))
            return UnreadCounts.of([Unread(asked.con, count) for (count,) in rows])
        recent = await self._recent(admin, None, LAST_ID, min(MAX_UNREAD, self._max_rows))
        return UnreadCounts.of([Unread(each.con, each.no_leidos) for each, _ in recent])

    # Fields added to answers of the chat.

    def _conversation(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self._add("conversacion", member, args, reply)

    def _connected(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self._add("conectados", member, args, reply)

    def _add(self, event: str, member: Author, args: list[object], reply: Reply | None) -> None:
        """Let the chat answer; if an admin asked, add the team's fields to the answer."""
        if reply is not None and member.identity.is_admin:
            reply = _Completed(functools.partial(self._complete, event, member, args, reply))
        self._in_chat[event](member, args, reply)

    def _complete(self, event: str, member: Author, args: list[object], reply: Reply, answer: object) -> None:
        told = msgspec.to_builtins(answer)
        if not told["ok"]:
            reply(told)
            return
        add = {"conversacion": self._add_case, "conectados": self._add_names}[event]
        self._tasks.start(self._finish(add(told, args), member, reply), event)

    async def _finish(self, work: Any, member: Author, reply: Reply) -> None:
        try:
            reply(await work)
        except StoreError as error:
            member.refuse(reply, error)

    async def _add_case(self, told: dict[str, Any], args: list[object]) -> dict[str, Any]:
        con = str(parse_fields(args, "")["con"])
        known = (await self._names.look_up([con])).get(con)
        case = await self._cases.find(con)
        is_known = known is not None or case.rev > 0
        return told | _about(known) | {"conocido": is_known, "caso": msgspec.to_builtins(case)}

    async def _add_names(self, told: dict[str, Any], _args: list[object]) -> dict[str, Any]:
        known = await self._names.look_up([each["user"] for each in told["conectados"]])
        return told | {"conectados": [each | _about(known.get(each["user"])) for each in told["conectados"]]}


def _found(row: Sequence[Any]) -> Found:
    con, ultimo, unread = row[0], Past(MessageId(row[1]), *row[2:6]), row[6]
    return Found(TeamEntry(con, PastMessage.of(ultimo), unread, caso=Case.of((con, *row[7:15]))), row[15])


def _colleague(row: Sequence[Any]) -> Found:
    ultimo = PastMessage.of(Past(MessageId(row[1]), *row[2:6]))
    return Found(TeamEntry(row[0], ultimo, row[6], rol="admin"), None)


def _about(known: Known | None) -> dict[str, str]:
    if known is None:
        return {}
    return {"nombre": known.nombre} | ({"rol": "admin"} if known.is_admin else {})


def _with_name(entry: TeamEntry, known: Known | None) -> TeamEntry:
    if known is None:
        return entry
    return msgspec.structs.replace(entry, nombre=known.nombre, rol="admin" if known.is_admin else None)
