"""A socket that reconnects gets missed messages, then live ones: in order, each once. Rules C-28 to C-37 and C-62.

    admit     read the missed messages from the database, when all delivered messages are stored
    CONNECT   answer with the old id and pid if the socket can be recovered; events may follow from here on
    replay    send what was read, in portions, as fast as the client reads; read the next page while there is more
    enter     in one turn: send what the feed has kept since the last read; join the rooms; `al_dia`

Before it enters, a member is in no room, so no message comes twice or out of order. Afterwards the replay is removed.
A client reports the position of its last message, on any server, so it can also reconnect in the middle of a replay.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

import msgspec

from chatd.auth import Identity
from chatd.base.tasks import Tasks
from chatd.chat.chat import Chat
from chatd.chat.config import ChatConfig
from chatd.chat.limits import TooFastError
from chatd.chat.member import Member
from chatd.chat.messages.audience import receives, user_room
from chatd.chat.messages.ids import parse_id
from chatd.chat.recovery.pages import Pages
from chatd.chat.recovery.pid import Pids
from chatd.chat.recovery.replay import Portion, Replay
from chatd.chat.recovery.resume import parse_resume
from chatd.engineio.reasons import CloseReason
from chatd.engineio.session import State
from chatd.engineio.turns import Price
from chatd.socketio.joined import joined
from chatd.socketio.namespace import Auth
from chatd.socketio.socket import Socket
from chatd.store.base import MessageId, StoreError

# Pauses between two checks of a client that reads slowly; time after which one that reads nothing is disconnected.
SHORTEST_WAIT_S: Final = 0.002
LONGEST_WAIT_S: Final = 0.1
PATIENCE_S: Final = 30.0

log = logging.getLogger("chatd.chat")


class Joined(msgspec.Struct, frozen=True, gc=False):
    """The payload of the answer to CONNECT with recovery."""

    sid: str
    pid: str


class UpToDate(msgspec.Struct, frozen=True, gc=False):
    """`al_dia`: later messages come live. Unless `completo`, the client has to load the history up to `ultimo`."""

    ultimo: str
    completo: bool


class Recovery:
    """Admits members: at once, or after the missed messages are sent."""

    def __init__(self, chat: Chat, check_again: Callable[[Identity], None]) -> None:
        """`check_again` raises ConnectRefusedError for a user who would be refused now."""
        self._pids = Pids(chat.store.recovery_key) if chat.config.recovery == "on" else None
        self.outcomes = {"complete": 0, "incomplete": 0}  # of clients that sent a position
        self._limits = chat.limits
        self._namespace = chat.namespace
        self._feed = chat.messages.feed
        self._ids = chat.ids
        self._encode = chat.messages.encode
        self._check_again = check_again
        self._tasks = Tasks()
        self._pages = Pages(self._config_of_pages(chat.config), self._feed, chat.store, self._tasks)
        self._arriving: Counter[str] = Counter()  # sockets that are in no room yet, by user
        self._replays: dict[str, Replay] = {}  # by socket id

    def greet(self, socket: Socket) -> object:
        """The payload of the answer to CONNECT."""
        if self._pids is None or not isinstance(socket.handler, Member):
            return joined(socket)
        return Joined(socket.id, self._pids.mint(socket.id, socket.handler.identity.user))

    def admit(self, member: Member, auth: Auth) -> Member | Coroutine[Any, Any, Member]:
        """Admit a member with a valid token, or start its replay. Raises ConnectRefusedError."""
        user = member.identity.user
        asked = parse_resume(auth, user, self._pids, self._parse)
        if asked is not None and asked.sid is not None:
            self._take_place(asked.sid, user)
        replay = None if asked is None or asked.after is None else self._replay(member, asked.after)
        if asked is not None and replay is not None:
            return self._resume(replay, asked.sid)
        self._limits.check_sockets(user, self._sockets(user))
        if asked is not None:
            self._begin(Replay(member, self._feed.position, complete=False))
        return member

    def on_connect(self, member: Member) -> None:
        """The answer to the member's CONNECT is sent."""
        replay = self._replays.get(member.socket.id)
        if replay is None:
            member.enter()
            if self._pids is not None:
                self._tell(member, complete=False)
        elif not self._advance(replay):
            replay.task = self._tasks.start(self._go_on(replay), "replay")

    def on_disconnect(self, member: Member) -> bool:
        """The socket has disconnected. Returns whether the member had entered its rooms."""
        replay = self._replays.get(member.socket.id)
        if replay is None or replay.member is not member:
            return True
        self._finish(replay)
        if replay.task is not None:
            replay.task.cancel()
        return False

    # Admission. NodeRecovery overrides the first four methods: its positions have another form.

    @staticmethod
    def _config_of_pages(config: ChatConfig) -> ChatConfig:
        return config

    def _parse(self, value: object) -> Any:
        """The position in `value`; None if there is none."""
        return parse_id(value)

    def _replay(self, member: Member, after: Any) -> Replay | None:
        """The replay for `member` from the position `after`; None if that position is not usable."""
        return None if self._ids.is_ahead(after) else Replay(member, self._known(after), complete=True)

    def _take_place(self, sid: str, user: str) -> None:
        """End the old socket of a socket that reconnected: it would still count as one of the user's sockets."""
        self._end(sid, user)

    async def _resume(self, replay: Replay, sid: str | None) -> Member:
        """`sid` is the id of the old socket that it recovers, if any."""
        member = replay.member
        user = member.identity.user
        with self._arrival(user):
            self._limits.check_sockets(user, self._sockets(user) - 1)
            try:
                self._limits.check_pace(user)
                member.socket.session.charge(Price.QUESTION)
                stretch = await self._pages.first(replay.question)
            except TooFastError:
                replay.complete = False
            except StoreError as error:
                log.warning("nothing recovered", extra={**member.logged, "code": error.code})
                replay.complete = False
            else:
                replay.complete = not stretch.beyond
                if replay.complete:
                    replay.take(stretch, self._encode)
            self._check_again(member.identity)  # the replay may have taken a while
            if replay.complete and sid is not None:
                self._end(sid, user)
                member.socket.id = sid
            self._begin(replay)
        return member

    @contextlib.contextmanager
    def _arrival(self, user: str) -> Iterator[None]:
        """Keep deliveries during the replay, and count the arriving member."""
        self._expect(user)
        try:
            yield
        finally:
            self._expect_no_more(user)

    def _known(self, after: MessageId) -> MessageId:
        """The position to replay from. `after` may be a message that was delivered, but not stored before a crash.

        This process gives larger ids, unless the clock was set back. Then all messages of this process count as missed.
        """
        return after if after <= self._feed.position else min(after, self._feed.start)

    def _sockets(self, user: str) -> int:
        return len(self._namespace.rooms.members(user_room(user))) + self._arriving[user]

    def _end(self, sid: str, user: str) -> None:
        """End the socket with that id: another one replaces it. Rule C-32."""
        replay = self._replays.get(sid)
        if replay is not None:
            replay.member.socket.disconnect_session()
        for session in list(self._namespace.rooms.members(user_room(user))):
            socket = self._namespace.sockets[session]
            if socket.id == sid:
                socket.disconnect_session()

    # The replay.

    def _begin(self, replay: Replay) -> None:
        self._expect(replay.member.identity.user)
        self._replays[replay.member.socket.id] = replay

    def _finish(self, replay: Replay) -> None:
        del self._replays[replay.member.socket.id]
        self._expect_no_more(replay.member.identity.user)

    def _expect(self, user: str) -> None:
        self._feed.watch()
        self._arriving[user] += 1

    def _expect_no_more(self, user: str) -> None:
        self._feed.unwatch()
        self._arriving[user] -= 1
        if not self._arriving[user]:
            del self._arriving[user]

    def _advance(self, replay: Replay) -> bool:
        """Send what fits in this turn. Returns whether the member is now in its rooms."""
        if replay.complete:
            portion = Portion(replay.member.socket)
            if not replay.send(portion) or not self._feed.reaches(replay.cursor):
                return False
            for message, packet in self._feed.after(replay.cursor):
                if receives(replay.member.identity, message) and not portion.send(packet):
                    return False
                replay.cursor = message.id
        self._enter(replay)
        return True

    def _enter(self, replay: Replay) -> None:
        """Join the rooms: later messages come live."""
        self._finish(replay)
        self.outcomes["complete" if replay.complete else "incomplete"] += 1
        replay.member.enter()
        self._tell(replay.member, complete=replay.complete)

    def _must_read(self, replay: Replay) -> bool:
        return not replay.packets and not self._feed.reaches(replay.cursor)

    @property
    def position(self) -> str:
        """The position of a socket that has all delivered messages."""
        return str(self._feed.position)

    def _tell(self, member: Member, *, complete: bool) -> None:
        position = self.position
        offset = () if self._pids is None else (position,)
        member.socket.emit("al_dia", UpToDate(position, complete), *offset)

    async def _go_on(self, replay: Replay) -> None:
        """The rest of a replay that needs more than one turn. Cancelled when the socket disconnects."""
        session, cursor, wait_s, quiet_s = replay.member.socket.session, replay.cursor, SHORTEST_WAIT_S, 0.0
        while session.state is State.OPEN and not self._advance(replay):
            if self._must_read(replay):
                await self._read_on(replay)
                continue
            await asyncio.sleep(0)  # queued packets are written at the end of the turn
            queued_bytes = session.queued_bytes
            if replay.cursor != cursor:
                cursor, wait_s, quiet_s = replay.cursor, SHORTEST_WAIT_S, 0.0
                if not queued_bytes:
                    continue
            await asyncio.sleep(wait_s)
            quiet_s = quiet_s + wait_s if session.queued_bytes >= max(1, queued_bytes) else 0.0
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            if quiet_s > PATIENCE_S:
                session.close(CloseReason.SLOW_CONSUMER)

    async def _read_on(self, replay: Replay) -> None:
        """Read the next page. If that fails, close the session: the client reconnects with its position."""
        try:
            replay.take(await self._pages.next(replay.question), self._encode)
        except StoreError as error:
            log.warning("a replay was broken off", extra={**replay.member.logged, "code": error.code})
            replay.member.socket.session.close(CloseReason.RECONNECT)
