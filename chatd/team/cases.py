"""Claims and unanswered questions: the events of cases, and the update of cases from messages.

Cases are updated after messages are stored, as the list of conversations is: one SQL statement updates the cases of
many messages, and admins get the changed ones. A crash loses nothing, because the next start continues where the last
update ended. With several nodes, each updates the cases of its own messages. Rules D-06 to D-10.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Sequence
from typing import Any, Final

from chatd.base.tasks import Tasks
from chatd.chat.chat import Chat
from chatd.chat.feature import Feature
from chatd.chat.member import Author
from chatd.chat.messages.ids import MAX_NODE, NODE_BITS, SEQUENCE_BITS, parts
from chatd.socketio.socket import Reply
from chatd.store.base import Message, StoreError
from chatd.store.history import LAST_ID
from chatd.team import casesql
from chatd.team.case import AskCase, Case, CaseAnswer, ClaimedError
from chatd.team.claims import Claims
from chatd.team.config import TeamConfig
from chatd.team.waits import Waits
from chatd.team.work import Work

GATHER_S: Final = 0.05
"""Messages that arrive within this time share one update."""

RETRY_S: Final = 1.0

OVERLAP: Final = 60_000 << NODE_BITS + SEQUENCE_BITS
"""A minute, in ids. A start repeats it, because clocks and commits of nodes may differ by that much."""

MAX_TOLD: Final = 10_000

log = logging.getLogger("chatd.team")


class Cases:
    """One for the team."""

    def __init__(self, config: TeamConfig, chat: Chat, work: Work) -> None:
        self.waits = Waits()
        self._chat = chat
        self._store = chat.store
        self._work = work
        self._claims = Claims(config.claim_timeout_s, chat, self)
        self._upto: int | None = None
        self._is_behind = False
        self._answered: dict[str, Message] = {}
        self._told: dict[str, Case] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        chat.messages.feed.listeners.append(self._on_message)

    @property
    def feature(self) -> Feature:
        return Feature(
            events={
                "atender": functools.partial(self._begin, "atender"),
                "soltar": functools.partial(self._begin, "soltar"),
                "resolver": functools.partial(self._begin, "resolver"),
            }
        )

    def begin(self, after: asyncio.Event) -> None:
        """Start to update cases, first from the stored messages, when `after` is set: the admins are known."""
        self._task = self._tasks.start(self._start(after), "cases")
        self._claims.begin()

    async def caught_up(self) -> None:
        """Wait until the cases cover all messages that were stored before this call. Raises StoreError."""
        if self._task is not None:
            waits: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waits)
            self._is_behind = True
            await waits

    def changed(self, rows: Sequence[Sequence[Any]]) -> list[Case]:
        """The cases of `rows`, as read from the database. Sends to admins those that differ from what they last got."""
        cases = [Case.of(row) for row in rows]
        for case in cases:
            told = self._told.pop(case.con, None)
            self._told[case.con] = case
            if told is None or _told(told) != _told(case):
                self._chat.tell_admins("caso", case)
        for con in list(self._told)[: max(0, len(self._told) - MAX_TOLD)]:
            del self._told[con]
        return cases

    # What admins do.

    def _begin(self, event: str, member: Author, args: list[object], reply: Reply | None) -> None:
        change = {"atender": self._claim, "soltar": self._release, "resolver": self._resolve}[event]
        admin = member.identity.user
        self._work.begin(member, event, reply, lambda: change(AskCase.parse(event, args), admin))

    async def _claim(self, asked: AskCase, admin: str) -> CaseAnswer:
        now = self._chat.clock_ms()
        rows = await self._store.run(casesql.CLAIM, (asked.con, admin, now, int(asked.takes_over)))
        return await self._answer(asked.con, rows)

    async def _release(self, asked: AskCase, admin: str) -> CaseAnswer:
        rows = await self._store.run(casesql.RELEASE, (asked.con, admin))
        return await self._answer(asked.con, rows)

    async def _resolve(self, asked: AskCase, admin: str) -> CaseAnswer:
        """Resolve up to the last message that the admin has seen: a later message of the user opens the case again."""
        newest = self._chat.messages.newest()
        upto = min(asked.upto or newest, newest)
        values = (asked.con, admin, self._chat.clock_ms(), upto, int(asked.takes_over))
        return await self._answer(asked.con, await self._store.run(casesql.RESOLVE, values))

    async def _answer(self, con: str, rows: Sequence[Sequence[Any]]) -> CaseAnswer:
        if rows:
            [case] = self.changed(rows)
            return CaseAnswer(caso=case)
        case = await self.find(con)
        if case.atiende is not None:
            raise ClaimedError(case.atiende)
        return CaseAnswer(caso=case)

    async def find(self, con: str) -> Case:
        """The case of the user `con`; a new one if none is stored. Raises StoreError."""
        rows = await self._store.run(casesql.READ, (con,))
        return Case.of(rows[0] if rows else (con, 0, None, None, 0, None, None, None, 0))

    # Following the messages.

    def _on_message(self, message: Message) -> None:
        if self._chat.node not in (None, parts(message.id).node):
            return
        if self._chat.supervision.is_admin(message.de):
            self._answered.setdefault(message.para, message)
        self._is_behind = True
        self._follow_soon()

    def _follow_soon(self) -> asyncio.Task[None]:
        if self._task is None:
            self._task = self._tasks.start(self._follow(), "cases")
        return self._task

    async def _start(self, after: asyncio.Event) -> None:
        """Update the cases from stored messages. Old answers do not claim a case; when the table is new, old
        conversations become resolved.
        """
        await after.wait()
        while self._upto is None:
            try:
                await self._store.flushed()
                [found] = await self._store.run(casesql.START)
                is_new = found[0] is None
                start = max((each for each in found if each is not None), default=-1)
                overlap = 0 if self._chat.node is None else OVERLAP
                begun = self._chat.ids.start
                await self._steps(start - overlap, begun, claims=False, own="")
                if is_new:
                    await self._store.run(casesql.RESOLVE_THE_PAST)
                self._upto, self._is_behind = begun, True
            except StoreError as error:
                await self._pause(error)
        await self._follow()

    async def _follow(self) -> None:
        try:
            while self._is_behind:
                await asyncio.sleep(GATHER_S)
                self._is_behind = False
                waiting, self._waiting = self._waiting, []
                try:
                    await self._follow_once()
                except StoreError as error:
                    self._is_behind = True
                    self._waiting += waiting
                    await self._pause(error)
                else:
                    _wake(waiting, None)
        finally:
            self._task = None

    async def _follow_once(self) -> None:
        answered, self._answered = self._answered, {}
        await self._store.flushed()
        for con, message in answered.items():
            await self._measure(con, message)
        upto = self._upto if self._upto is not None else -1
        self._upto = await self._steps(upto, LAST_ID, claims=True, own=self._own)

    async def _measure(self, con: str, answer: Message) -> None:
        rows = await self._store.query(casesql.READ, (con,))
        if rows:
            case, respuesta = Case.of(rows[0]), rows[0][9]
            if case.espera is not None:
                self.waits.answered(case.espera, answer.fecha, first=respuesta <= rows[0][4])

    async def _steps(self, after: int, upto: int, *, claims: bool, own: str) -> int:
        """Update the cases from messages with ids in (`after`, `upto`]. Returns the last id. Raises StoreError."""
        rows = casesql.STEP_ROWS
        while rows == casesql.STEP_ROWS:
            [(reached, rows)] = await self._store.run(casesql.NEXT.format(own=own), (after, casesql.STEP_ROWS, upto))
            if rows:
                found = await self._store.run(casesql.FOLLOW.format(own=own), (after, reached, int(claims)))
                if claims:
                    self.changed(found)
                after = reached
        return after

    async def _pause(self, error: StoreError) -> None:
        waiting, self._waiting = self._waiting, []
        _wake(waiting, error)
        log.warning("cases do not follow the messages", extra={"code": error.code})
        await asyncio.sleep(RETRY_S)

    @property
    def _own(self) -> str:
        """The SQL condition for messages of this node; empty without several nodes."""
        node = self._chat.node
        return "" if node is None else f" AND ((id >> {SEQUENCE_BITS}) & {MAX_NODE}) = {node}"


def _wake(waiting: Sequence[asyncio.Future[None]], error: StoreError | None) -> None:
    for each in waiting:
        if not each.done():
            each.set_result(None) if error is None else each.set_exception(error)


def _told(case: Case) -> tuple[object, ...]:
    """The fields whose change is sent to admins: all but `rev`."""
    return case.estado, case.atiende, case.desde, case.cerro, case.cerrado, case.espera
