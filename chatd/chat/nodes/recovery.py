"""A socket that reconnects to any of several nodes gets missed messages, each once. Rules N-06 and N-08.

Differences from one daemon: a position is a vector, delivered rows may not be in the database yet, and the client may
be ahead of its new node. chatd/cluster/core/receiver.py decides what to send; queues and sending are the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Coroutine, Iterable, Iterator
from time import monotonic
from typing import Any, Final

from chatd.auth import Identity
from chatd.chat.config import ChatConfig
from chatd.chat.member import Member
from chatd.chat.messages.audience import receives
from chatd.chat.nodes.asides import Back
from chatd.chat.nodes.chat import NodeChat
from chatd.chat.nodes.positions import parse_position
from chatd.chat.recovery.pages import Question, Stretch
from chatd.chat.recovery.recovery import Recovery
from chatd.chat.recovery.replay import Portion, Replay
from chatd.chat.recovery.resume import parse_resume
from chatd.cluster.core import position
from chatd.cluster.core.beat import DEAF_S
from chatd.cluster.core.members import LEASE_S
from chatd.cluster.core.receiver import Receiver
from chatd.cluster.core.replay import Delivery
from chatd.cluster.core.vector import Vector, covers
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.reasons import CloseReason
from chatd.socketio.namespace import Auth
from chatd.store.base import Message, MessageId

MAX_PACKETS: Final = 4_096
"""Packets queued for one client. With more it is disconnected, and reconnects with its position.

Not a setting: the messages are in the database. A longer queue takes memory for a client that reads too slowly anyway.
"""

BEHIND_S: Final = LEASE_S + 1.0
"""How long a client that is ahead of its node waits for it. The missing messages may be lost with their node."""


LOOK_S: Final = 0.05
FULL_LOOKS: Final = round(2 * DEAF_S / LOOK_S)
"""How many times to check again for room under the limit; by then a dead node counts as silent."""


class NodeReplay(Replay):
    """A member of one of several nodes that is not in its rooms yet, because missed messages are sent first."""

    __slots__ = ("_encode", "behind_until_s", "is_replayed", "receiver")

    def __init__(self, member: Member, after: Vector, encode: Callable[[Delivery[Message]], Outgoing]) -> None:
        super().__init__(member, MessageId(0), complete=True)
        self.receiver: Receiver[Message] = Receiver(after)
        self.is_replayed = False
        self.behind_until_s = 0.0
        self._encode = encode

    @property
    def question(self) -> Question:
        """See Replay.question. If nothing is missing, the query returns no rows."""
        after, upto = self.receiver.missing or (1, 1)
        identity = self.member.identity
        return Question(identity.user, identity.is_admin, MessageId(after), MessageId(upto))

    def take(self, stretch: Stretch, encode: Callable[[Message], Outgoing]) -> None:
        """See Replay.take."""
        if self.receiver.missing is not None:
            upto = stretch.upto if stretch.whole else stretch.messages[-1].id
            self._add(self.receiver.page(stretch.messages, upto))

    def end(self) -> bool:
        """Queue what was delivered meanwhile; False if it exceeded the limit and must be read from the database."""
        waiting = self.receiver.end()
        if waiting is None:
            return False
        self._add(waiting)
        self.is_replayed = True
        self.behind_until_s = monotonic() + BEHIND_S
        return True

    def live(self, delivery: Delivery[Message]) -> None:
        """A message was delivered on this node."""
        if receives(self.member.identity, delivery.item) and (sent := self.receiver.live(delivery)) is not None:
            self._add((sent,))
            if len(self.packets) > MAX_PACKETS:
                self.member.socket.session.close(CloseReason.RECONNECT)

    def _add(self, deliveries: Iterable[Delivery[Message]]) -> None:
        self.packets.extend((each.item.id, self._encode(each)) for each in deliveries)


class NodeRecovery(Recovery):
    """Admits members on one of several nodes."""

    @staticmethod
    def _config_of_pages(config: ChatConfig) -> ChatConfig:
        """See Recovery. No query waits for a commit: the node's tail has delivered messages that are not stored yet."""
        return dataclasses.replace(config, deliver="stored")

    def __init__(self, chat: NodeChat, check_again: Callable[[Identity], None]) -> None:
        super().__init__(chat, check_again)
        self._node = chat.shell.node
        self._encode_at = chat.messages.encode_at
        self._catching_up: list[NodeReplay] = []
        self._resuming: dict[str, Member] = {}  # members that are catching up, by the socket id that they will take
        self._shell = chat.shell
        chat.messages.catching_up = self._on_delivery
        chat.shell.peers.make_room = self._make_room

    def admit(self, member: Member, auth: Auth) -> Member | Coroutine[Any, Any, Member]:
        """See Recovery.admit. Rule N-20: before a refusal because of sockets on other nodes, wait for a moment.

        They may be sockets of a node that has just died, or the socket that this one replaces.
        """
        user = member.identity.user
        if not super()._sockets(user) < self._limits.max_sockets <= self._sockets(user):
            return super().admit(member, auth)
        asked = parse_resume(auth, user, self._pids, self._parse)
        if asked is not None and asked.sid is not None:
            self._take_place(asked.sid, user)
        return self._admit_later(member, auth)

    async def _admit_later(self, member: Member, auth: Auth) -> Member:
        user = member.identity.user
        with self._arrival(user):
            for _ in range(FULL_LOOKS):
                await asyncio.sleep(LOOK_S)
                if self._sockets(user) <= self._limits.max_sockets:
                    break
        self._check_again(member.identity)
        admitted = super().admit(member, auth)
        return await admitted if isinstance(admitted, Coroutine) else admitted

    def _sockets(self, user: str) -> int:
        return super()._sockets(user) + self._shell.peers.sockets_elsewhere(user)

    def _parse(self, value: object) -> Vector | None:
        return parse_position(value, self._node.vector, self._shell.ids.now)

    def _replay(self, member: Member, after: Vector) -> NodeReplay:
        return NodeReplay(member, after, self._encode_at)

    def _take_place(self, sid: str, user: str) -> None:
        """The old socket may be on any node. Rule N-13."""
        super()._take_place(sid, user)
        self._shell.cast(Back(self._node.number, user, sid))

    def _make_room(self, sid: str, user: str) -> None:
        """`sid` has reconnected to another node: end that socket, and any member here that is about to replace it."""
        resuming = self._resuming.pop(sid, None)
        if resuming is not None:
            resuming.socket.disconnect_session()
        self._end(sid, user)

    async def _resume(self, replay: Replay, sid: str | None) -> Member:
        if not isinstance(replay, NodeReplay):
            raise TypeError(replay)
        self._catching_up.append(replay)
        self._join(replay)
        try:
            with self._taking(sid, replay.member):
                return await super()._resume(replay, sid)
        except BaseException:
            self._catching_up.remove(replay)
            raise

    @contextlib.contextmanager
    def _taking(self, sid: str | None, member: Member) -> Iterator[None]:
        if sid is not None:
            self._resuming[sid] = member
        try:
            yield
        finally:
            if sid is not None and self._resuming.get(sid) is member:
                del self._resuming[sid]

    def _join(self, replay: NodeReplay) -> None:
        identity = replay.member.identity
        self._node.join(replay.receiver, lambda message: receives(identity, message))

    def _finish(self, replay: Replay) -> None:
        super()._finish(replay)
        if isinstance(replay, NodeReplay):
            self._catching_up.remove(replay)

    def _on_delivery(self, delivery: Delivery[Message]) -> None:
        for replay in list(self._catching_up):
            replay.live(delivery)

    def _advance(self, replay: Replay) -> bool:
        """See Recovery._advance. A client that is ahead of the node enters its rooms when the node has caught up."""
        if not isinstance(replay, NodeReplay) or not replay.complete:
            return super()._advance(replay)
        portion = Portion(replay.member.socket)
        if not replay.send(portion) or replay.receiver.missing is not None:
            return False
        if not replay.is_replayed:
            if not replay.end():
                self._join(replay)
                return False
            if not replay.send(portion):
                return False
        if not covers(self._node.vector, replay.receiver.position) and monotonic() < replay.behind_until_s:
            return False
        self._enter(replay)
        return True

    def _must_read(self, replay: Replay) -> bool:
        if not isinstance(replay, NodeReplay):
            return super()._must_read(replay)
        return not replay.packets and replay.receiver.missing is not None

    @property
    def position(self) -> str:
        """See Recovery.position."""
        return position.encode(self._node.vector)
