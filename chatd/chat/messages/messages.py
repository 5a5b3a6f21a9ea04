"""`mensaje_privado`: a message is stored, delivered and acknowledged. Rules C-06, C-07, C-15 to C-18, C-28."""

from __future__ import annotations

import functools

from chatd.auth import Identity
from chatd.base.errors import RefusedError
from chatd.chat.config import ChatConfig
from chatd.chat.events import PrivateMessage, Stored
from chatd.chat.feature import Feature
from chatd.chat.limits import ChatLimits
from chatd.chat.member import Author
from chatd.chat.messages.audience import recipients
from chatd.chat.messages.composing import Composer
from chatd.chat.messages.echo import Echo
from chatd.chat.messages.feed import Feed
from chatd.chat.messages.once import Once
from chatd.chat.messages.payload import PAYLOADS
from chatd.chat.messages.writing import Writers
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.session import Session
from chatd.socketio.namespace import Namespace
from chatd.socketio.packet import PreparedEvent
from chatd.socketio.socket import Reply
from chatd.store.base import Done, Message, MessageId, Store, StoreError


class Messages:
    """All messages of one namespace."""

    _alone = True  # see Once

    def __init__(
        self,
        config: ChatConfig,
        limits: ChatLimits,
        namespace: Namespace,
        store: Store,
        composer: Composer,
        writers: Writers,
    ) -> None:
        self._config = config
        self._limits = limits
        self._namespace = namespace
        self._store = store
        self._composer = composer
        self._writers = writers
        self.feed = Feed(composer.ids.start)
        self._once = Once(store, self.send, alone=self._alone)
        self._received = PreparedEvent(namespace.name, "mensaje_recibido")
        self._payload = PAYLOADS[config.payload]
        self._with_offsets = config.recovery == "on"
        self._echo = Echo(namespace) if config.echo == "on" else None

    @property
    def feature(self) -> Feature:
        return Feature(events={"mensaje_privado": self.private_message}, use=self.use)

    def use(self, config: ChatConfig) -> None:
        """Another `max_message` from now on."""
        self._config = config

    @property
    def max_chars(self) -> int:
        return self._config.max_message_chars

    def newest(self) -> MessageId:
        """No message has a greater id yet."""
        return self._composer.ids.newest

    def private_message(self, member: Author, args: list[object], reply: Reply | None) -> None:
        """A message with a `cid` has to be known as new first, and what its user sends next stays behind it."""
        try:
            parsed = PrivateMessage.parse(args, self._config.max_message_chars)
            self._limits.check_chars(member.identity.user, len(parsed.mensaje))
            if parsed.cid is not None or self._once.has_line(member.identity.user):
                self._once.submit(member, parsed, reply)
            else:
                receipt = Receipt(member, reply)
                sender, session = member.identity, member.session
                receipt.message = self.submit(sender, parsed, receipt, session, patient=reply is None)
        except RefusedError as error:
            member.refuse(reply, error)

    def send(self, member: Author, parsed: PrivateMessage, done: Done) -> Message:
        """What a client sends; see `submit`."""
        return self.submit(member.identity, parsed, done, member.session)

    def submit(
        self, sender: Identity, parsed: PrivateMessage, done: Done, but: Session | None = None, *, patient: bool = False
    ) -> Message:
        """Hand the message to the store and deliver it, now or once it is stored. Raises StoreError.

        The store comes first because it may refuse at once; nothing is delivered that will not be stored. The sender
        need not be connected. `but` is the session that has no echo of it. `patient`: no client waits for `done`.
        """
        message = self._composer.compose(sender, parsed)
        if self._config.deliver == "stored":
            self._store.put(message, functools.partial(self._deliver_stored, message, but, done))
        else:
            self._store.put(message, done, patient=patient)
            self._deliver(message, but)
        return message

    def encode(self, message: Message) -> Outgoing:
        """The frame that all recipients get. Rule C-28: where sockets are recovered, the id is its last argument."""
        if self._with_offsets:
            return self._received.encode(self._payload(message), str(message.id))
        return self._received.encode(self._payload(message))

    def _deliver_stored(self, message: Message, but: Session | None, done: Done, error: StoreError | None) -> None:
        if error is None:
            self._deliver(message, but)
        elif error.doubt is not None:
            error.doubt.if_stored(message.id, functools.partial(self._deliver, message, but))
        done(error)

    def _deliver(self, message: Message, but: Session | None) -> None:
        if self._writers.active:
            self._writers.stop(message.de, message.para)
        audience = recipients(message.para, supervised=message.supervisado)
        packet = self.encode(message)
        self._namespace.send_to_rooms(packet, audience)
        feed = self.feed
        feed.position = message.id
        if feed.watchers:
            feed.keep(message, packet)
        for tell in feed.listeners:
            tell(message)
        if self._echo is not None:
            self._echo.send(message, audience, but=but)


class Receipt:
    """The acknowledgement of a message: stored or refused."""

    __slots__ = ("_member", "_reply", "message")

    def __init__(self, member: Author, reply: Reply | None) -> None:
        self._member = member
        self._reply = reply
        self.message: Message

    def __call__(self, error: StoreError | None) -> None:
        if error is not None:
            self._member.refuse(self._reply, error)
        elif self._reply is not None:
            self._reply(Stored(id=str(self.message.id), fecha=self.message.fecha))
