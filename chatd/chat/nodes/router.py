"""Routes as every router does; what is said here goes to the other nodes, what they say comes to the sockets here."""

from __future__ import annotations

from typing import Any

from chatd.chat.audience import ADMINS
from chatd.chat.events import EventCode
from chatd.chat.member import Author, Member
from chatd.chat.nodes.asides import Aside, NodeReceipts, NodeUnread, NodeWriters, gone_back
from chatd.chat.nodes.listing import all_nodes
from chatd.chat.nodes.presence import NodePresence
from chatd.chat.nodes.shell import Deliver, Shell
from chatd.chat.router import ChatRouter, TeamEvent
from chatd.cluster.core import position
from chatd.cluster.core.replay import Delivery
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.session import Session
from chatd.errors import RefusedError
from chatd.socketio.socket import Reply
from chatd.store.base import Message, MessageId


class NodeRouter(ChatRouter):
    """The position behind a message is the text of a vector."""

    _alone = False

    def __init__(self, shell: Shell, *parts: Any) -> None:
        self.shell = shell
        self._people = shell.peers.people
        super().__init__(*parts)
        self._offset = ""
        self.catching_up: Deliver | None = None  # for those who are in no room yet
        shell.deliver = self.give
        shell.peers.emit = self._hear

    def give(self, delivery: Delivery[Message], but: Session | None = None) -> None:
        """To the sockets of this node: a message of any node."""
        newest = self.feed.position
        self._go_to(delivery)
        super()._deliver(delivery.item, but)
        self.feed.position = MessageId(max(newest, delivery.item.id))
        if self.catching_up is not None:
            self.catching_up(delivery)

    def encode_at(self, delivery: Delivery[Message]) -> Outgoing:
        """The frame for one whose position is its own."""
        self._go_to(delivery)
        return self.encode(delivery.item)

    def encode(self, message: Message) -> Outgoing:
        """See ChatRouter.encode."""
        if self._with_offsets:
            return self._received.encode(self._payload(message), self._offset)
        return self._received.encode(self._payload(message))

    def _make_writers(self, *parts: Any) -> NodeWriters:
        return NodeWriters(self.shell.cast, self.shell.node.number, *parts)

    def _make_receipts(self, *parts: Any) -> NodeReceipts:
        return NodeReceipts(self.shell.cast, self.shell.node.number, *parts)

    def _make_unread(self, *parts: Any) -> NodeUnread:
        return NodeUnread(self.shell.cast, self.shell.node.number, *parts)

    def _hear(self, aside: Aside) -> None:
        """What another node says to sockets of this one. Raises FrameError."""
        aside.emit(self._namespace)
        if (back := gone_back(aside)) is not None:
            self._receipts.forget(*back)

    def _make_presence(self, *parts: Any) -> NodePresence:
        return NodePresence(self._people, *parts)

    def on_join(self, member: Member) -> None:
        """See ChatRouter.on_join."""
        self._people.joined(member.identity.user, is_admin=member.identity.is_admin)
        super().on_join(member)

    def on_leave(self, member: Member) -> None:
        """See ChatRouter.on_leave. Presence is first: what it stores depends on whether the user was here."""
        super().on_leave(member)
        self._people.parted(member.identity.user, is_admin=member.identity.is_admin)

    def _tell_nodes(self, member: Author, reply: Reply) -> None:
        """See ChatRouter._tell_nodes."""
        if member.identity.is_admin:
            reply(all_nodes(self.shell.node.number, self.shell.peers.rows()))
        else:
            member.refuse(reply, RefusedError(EventCode.ADMINS_ONLY, "nodos is for admins."))

    def _is_online_admin(self, user: str) -> bool:
        """On any node."""
        return super()._is_online_admin(user) or self._people.is_admin_elsewhere(user)

    def is_attended(self) -> bool:
        """Rule C-78, where the admin is on any node."""
        return super().is_attended() or self._people.has_admin_elsewhere()

    def tell_admins(self, event: TeamEvent, news: object) -> None:
        """See ChatRouter.tell_admins."""
        super().tell_admins(event, news)
        self.shell.cast(Aside(self.shell.node.number, event, [news], (ADMINS,)))

    @property
    def sees_all(self) -> bool:
        """See ChatRouter.sees_all."""
        return self.shell.bus_is_up and self.shell.node.is_ready

    @property
    def node(self) -> int:
        """See ChatRouter.node."""
        return self.shell.node.number

    def newest(self) -> MessageId:
        return max(self.ids.newest, self.feed.position)

    def _go_to(self, delivery: Delivery[Message]) -> None:
        if self._with_offsets:
            self._offset = position.encode(delivery.position)

    def _deliver(self, message: Message, but: Session | None) -> None:
        self.give(self.shell.say(message), but)
