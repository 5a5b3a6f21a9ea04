"""One chat on several nodes: what is said here goes to the other nodes, what they say comes to the sockets here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chatd.chat.chat import Chat, TeamEvent
from chatd.chat.feature import Feature
from chatd.chat.member import Member
from chatd.chat.messages.audience import ADMINS
from chatd.chat.nodes.asides import Aside, NodeReceipts, NodeUnread, NodeWriters, gone_back
from chatd.chat.nodes.listing import node_list
from chatd.chat.nodes.messages import NodeMessages
from chatd.chat.nodes.people import People
from chatd.chat.nodes.presence import NodePresence
from chatd.chat.nodes.shell import Shell
from chatd.chat.nodes.supervision import NodeSupervision
from chatd.chat.presence.news import News


class NodeChat(Chat):
    """The part of it on this node."""

    messages: NodeMessages

    def __init__(self, shell: Shell, *parts: Any) -> None:
        self.shell = shell
        self._number = shell.node.number
        super().__init__(*parts)
        shell.peers.emit = self._hear

    def features(self) -> Iterator[Feature]:
        """See Chat.features. `people` is last when a socket goes: what presence stores depends on it."""
        yield _counted(self.shell.peers.people)
        yield from super().features()
        yield node_list(self._number, self.shell.peers.rows)

    def tell_admins(self, event: TeamEvent, news: object) -> None:
        """See Chat.tell_admins."""
        super().tell_admins(event, news)
        self.shell.cast(Aside(self._number, event, [news], (ADMINS,)))

    @property
    def sees_all(self) -> bool:
        """See Chat.sees_all."""
        return self.shell.bus_is_up and self.shell.node.is_ready

    @property
    def node(self) -> int:
        """See Chat.node."""
        return self._number

    def _hear(self, aside: Aside) -> None:
        """What another node says to sockets of this one. Raises FrameError."""
        aside.emit(self.namespace)
        if (back := gone_back(aside)) is not None:
            self.receipts.forget(*back)

    def _make_supervision(self) -> NodeSupervision:
        return NodeSupervision(self.shell.peers.people, self.config, self.namespace.rooms)

    def _make_writers(self) -> NodeWriters:
        cast, hearers = self.shell.cast, self.supervision.hearers
        return NodeWriters(cast, self._number, self.namespace, self.config.typing_timeout_s, hearers)

    def _make_messages(self) -> NodeMessages:
        parts = (self.config, self.limits, self.namespace, self.store, self.composer, self.writers)
        return NodeMessages(self.shell, *parts)

    def _make_presence(self, news: News) -> NodePresence:
        parts = (self.config.presence_grace_s, self.namespace.timers, self.store, self.clock_ms, news.tell)
        return NodePresence(self.shell.peers.people, *parts)

    def _make_receipts(self) -> NodeReceipts:
        return NodeReceipts(self.shell.cast, self._number, self.namespace, self.store, self.messages.newest)

    def _make_unread(self) -> NodeUnread:
        parts = (self.namespace, self.store, self.receipts, self.messages.newest)
        return NodeUnread(self.shell.cast, self._number, *parts)


def _counted(people: People) -> Feature:
    def on_join(member: Member) -> None:
        people.joined(member.identity.user, is_admin=member.identity.is_admin)

    def on_leave(member: Member) -> None:
        people.parted(member.identity.user, is_admin=member.identity.is_admin)

    return Feature(events={}, on_join=on_join, on_leave=on_leave)
