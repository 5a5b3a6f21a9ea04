"""Messages of several nodes: what is sent here is told to the others, what they tell goes to the sockets here."""

from __future__ import annotations

from chatd.chat.config import ChatConfig
from chatd.chat.limits import ChatLimits
from chatd.chat.messages.composing import Composer
from chatd.chat.messages.messages import Messages
from chatd.chat.messages.writing import Writers
from chatd.chat.nodes.shell import Deliver, Shell
from chatd.cluster.core import position
from chatd.cluster.core.replay import Delivery
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.session import Session
from chatd.socketio.namespace import Namespace
from chatd.store.base import Message, MessageId, Store


class NodeMessages(Messages):
    """The position behind a message is the text of a vector."""

    _alone = False

    def __init__(  # noqa: PLR0913, PLR0917 - mypyc passes `*parts` on as one tuple
        self,
        shell: Shell,
        config: ChatConfig,
        limits: ChatLimits,
        namespace: Namespace,
        store: Store,
        composer: Composer,
        writers: Writers,
    ) -> None:
        super().__init__(config, limits, namespace, store, composer, writers)
        self._shell = shell
        self._offset = ""
        self.catching_up: Deliver | None = None  # for sockets that are in no room yet
        shell.deliver = self.give

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
        """See Messages.encode."""
        if self._with_offsets:
            return self._received.encode(self._payload(message), self._offset)
        return self._received.encode(self._payload(message))

    def newest(self) -> MessageId:
        """See Messages.newest."""
        return max(super().newest(), self.feed.position)

    def _go_to(self, delivery: Delivery[Message]) -> None:
        if self._with_offsets:
            self._offset = position.encode(delivery.position)

    def _deliver(self, message: Message, but: Session | None) -> None:
        self.give(self._shell.say(message), but)
