"""What each event of a client does. The table of events is at the foot. Rules C-06 to C-08, C-13 to C-19."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from chatd.auth import Identity
from chatd.chat.attended import Attended
from chatd.chat.audience import ADMINS, is_online_admin, recipients
from chatd.chat.config import ChatConfig
from chatd.chat.connected import AskConnected, connected
from chatd.chat.echo import Echo
from chatd.chat.events import EventCode, PrivateMessage, Stored
from chatd.chat.feature import Feature, Handler
from chatd.chat.feed import Feed
from chatd.chat.history import Historian
from chatd.chat.ids import IdSource
from chatd.chat.limits import ChatLimits, TooFastError
from chatd.chat.member import Author, Member
from chatd.chat.news import News
from chatd.chat.once import Once
from chatd.chat.payload import PAYLOADS
from chatd.chat.presence import Presence
from chatd.chat.receipts import Receipts
from chatd.chat.standing import Standings
from chatd.chat.unread import Unread
from chatd.chat.whoami import who_am_i
from chatd.chat.writing import Writers
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.session import Session
from chatd.errors import RefusedError
from chatd.socketio.namespace import Namespace
from chatd.socketio.packet import PreparedEvent
from chatd.socketio.socket import EventName, Reply
from chatd.store.base import Done, Message, MessageId, Store, StoreError

TeamEvent = Literal["caso", "nota", "respuesta"]

log = logging.getLogger("chatd.chat")


class ChatRouter:
    """Routes the events of one namespace."""

    _alone = True  # see Once

    def __init__(
        self,
        config: ChatConfig,
        limits: ChatLimits,
        namespace: Namespace,
        store: Store,
        ids: IdSource,
        clock_ms: Callable[[], int],
    ) -> None:
        self._config = config
        self.limits = limits
        self._namespace = namespace
        self.store = store
        self.ids = ids
        self.clock_ms = clock_ms
        self._routes: Mapping[EventName, Handler] = ROUTES
        self._features: tuple[Feature, ...] = ()
        self.is_admin: Callable[[str], bool] = self._is_online_admin
        self.feed = Feed(ids.start)
        self.received = 0  # events, whatever becomes of them
        self.refused: Counter[str] = Counter()  # of those, by code
        self._once = Once(store, self.send, alone=self._alone)
        self._received = PreparedEvent(namespace.name, "mensaje_recibido")
        self._payload = PAYLOADS[config.payload]
        self._with_offsets = config.recovery == "on"
        self._echo = Echo(namespace) if config.echo == "on" else None
        self._writers = self._make_writers(namespace, config.typing_timeout_s, self._hearers)
        self.historian = Historian(config, store)
        self._receipts = self._make_receipts(namespace, store, self.newest)
        self._unread = self._make_unread(namespace, store, self._receipts, self.newest)
        self.presence: Presence | None = None
        if config.presence == "on":
            tell = News(namespace).tell
            self.presence = self._make_presence(config.presence_grace_s, namespace.timers, store, clock_ms, tell)
        self._standings = Standings(store, self.presence)

    def add(self, feature: Feature) -> None:
        """Before the first client comes."""
        self._features += (feature,)
        self._routes = {**self._routes, **feature.events}

    # What is another among several nodes.

    def tell_admins(self, event: TeamEvent, news: object) -> None:
        """An event for every admin."""
        self._namespace.emit(event, news, to=(ADMINS,))

    @property
    def sees_all(self) -> bool:
        """Whether presence knows everybody who is here."""
        return True

    @property
    def node(self) -> int | None:
        """Its number among several nodes; None if it is alone."""
        return None

    def _make_writers(self, *parts: Any) -> Writers:
        return Writers(*parts)

    def _make_receipts(self, *parts: Any) -> Receipts:
        return Receipts(*parts)

    def _make_unread(self, *parts: Any) -> Unread:
        return Unread(*parts)

    def _make_presence(self, *parts: Any) -> Presence:
        return Presence(*parts)

    def newest(self) -> MessageId:
        """No message has a greater id yet."""
        return self.ids.newest

    def on_join(self, member: Member) -> None:
        if self.presence is not None:
            self.presence.came(member.identity.user)
        for feature in self._features:
            feature.on_join(member)

    def on_leave(self, member: Member) -> None:
        if self._writers.active:
            self._writers.on_leave(member)
        if self.presence is not None:
            self.presence.left(member.identity.user)

    def use(self, config: ChatConfig) -> None:
        """Another `max_message` and other `admin_messages` from now on; what else is set, is set for good."""
        self._config = config

    @property
    def max_chars(self) -> int:
        return self._config.max_message_chars

    def route(self, member: Author, event: EventName, args: list[object], reply: Reply | None) -> None:
        """An event that nobody knows is refused where an answer is asked for, and ignored otherwise."""
        self.received += 1
        try:
            check = self.limits.check_typing if event == "escribiendo" else self.limits.check_pace
            check(member.identity.user)
        except TooFastError as error:
            if reply is not None or event != "escribiendo":  # rule C-54
                member.refuse(reply, error)
            if error.persistent:
                log.warning("user expelled: too many messages, for too long", extra=member.logged)
                member.expel(error.code, "Too many messages, for too long.")
            return
        handle = self._routes.get(event)
        if handle is not None:
            handle(self, member, args, reply)
        elif reply is not None:
            member.refuse(reply, _unknown(event))

    def private_message(self, member: Author, args: list[object], reply: Reply | None) -> None:
        """A message with a `cid` has to be known as new first, and what its user sends next stays behind it."""
        try:
            parsed = PrivateMessage.parse(args, self._config.max_message_chars)
            self.limits.check_chars(member.identity.user, len(parsed.mensaje))
            if parsed.cid is not None or self._once.has_line(member.identity.user):
                self._once.submit(member, parsed, reply)
            else:
                receipt = Receipt(member, reply)
                receipt.message = self.send(member, parsed, receipt, patient=reply is None)
        except RefusedError as error:
            member.refuse(reply, error)

    def mark_read(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self._receipts.mark(member, args, reply)

    def say_writing(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self._writers.say(member, args, reply)

    def conversation(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self._standings.ask(member, args, reply)

    def connected(self, member: Author, args: list[object], reply: Reply | None) -> None:
        """Nothing without an acknowledgement: there is nowhere to answer."""
        if reply is None:
            return
        try:
            if self.presence is None:
                raise _unknown("conectados")
            if not member.identity.is_admin:
                raise RefusedError(EventCode.ADMINS_ONLY, "conectados is for admins.")
            reply(connected(self.presence, AskConnected.parse(args)))
        except RefusedError as error:
            member.refuse(reply, error)

    def attended(self, member: Author, _args: list[object], reply: Reply | None) -> None:
        """Rule C-78; as `connected`."""
        if reply is None:
            return
        if self.presence is None:
            member.refuse(reply, _unknown("atencion"))
        else:
            reply(Attended(atendido=self.is_attended()))

    def is_attended(self) -> bool:
        """Whether an admin is connected."""
        return bool(self._namespace.rooms.members(ADMINS))

    def nodes(self, member: Author, _args: list[object], reply: Reply | None) -> None:
        """Nothing without an acknowledgement: there is nowhere to answer."""
        if reply is not None:
            self._tell_nodes(member, reply)

    def _tell_nodes(self, member: Author, reply: Reply) -> None:
        """One daemon knows no such event."""
        member.refuse(reply, _unknown("nodos"))

    def history(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self.historian.history(member, args, reply)

    def conversations(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self.historian.conversations(member, args, reply)

    def unread(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self.historian.unread(member, args, reply)

    def mark_unread(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self._unread.mark_unread(member, args, reply)

    def mark_all_read(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self._unread.mark_all_read(member, args, reply)

    def who_am_i(self, member: Author, _args: list[object], reply: Reply | None) -> None:
        if reply is not None:
            reply(who_am_i(member.identity))

    def send(self, member: Author, parsed: PrivateMessage, done: Done, *, patient: bool = False) -> Message:
        """Hand the message to the store and deliver it, now or once it is stored. Raises StoreError.

        The store comes first because it may refuse at once; nothing is delivered that nobody will store. `patient`:
        nobody waits for `done`.
        """
        return self.submit(member.identity, parsed, done, member.session, patient=patient)

    def submit(
        self, sender: Identity, parsed: PrivateMessage, done: Done, but: Session | None = None, *, patient: bool = False
    ) -> Message:
        """As `send`, for somebody who need not be connected; `but` is who sends it, and has no echo of it."""
        message = self._compose(sender, parsed)
        if self._config.deliver == "stored":
            self.store.put(message, functools.partial(self._deliver_stored, message, but, done))
        else:
            self.store.put(message, done, patient=patient)
            self._deliver(message, but)
        return message

    def _deliver_stored(self, message: Message, but: Session | None, done: Done, error: StoreError | None) -> None:
        if error is None:
            self._deliver(message, but)
        elif error.doubt is not None:
            error.doubt.if_stored(message.id, functools.partial(self._deliver, message, but))
        done(error)

    def encode(self, message: Message) -> Outgoing:
        """The frame that everybody gets. Rule C-28: where sockets are recovered, the id is its last argument."""
        if self._with_offsets:
            return self._received.encode(self._payload(message), str(message.id))
        return self._received.encode(self._payload(message))

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

    def _hearers(self, author: Identity, para: str) -> tuple[str, ...]:
        """Who would get a message to `para`: rules C-06 and C-08."""
        return recipients(para, supervised=not author.is_admin or self._is_for_admins(para))

    def _compose(self, sender: Identity, parsed: PrivateMessage) -> Message:
        return Message(
            id=self.ids.next(),
            de=sender.user,
            para=parsed.para,
            mensaje=parsed.mensaje,
            fecha=self.clock_ms(),
            supervisado=not sender.is_admin or self._is_for_admins(parsed.para),
            cid=parsed.cid,
        )

    def _is_for_admins(self, para: str) -> bool:
        """Rule C-08: what an admin writes to another may be for all of them. Rule D-01: what one writes to a user."""
        match self._config.admin_messages:
            case "all":
                return self._is_online_admin(para)
            case "team":
                return not self.is_admin(para)
        return False

    def _is_online_admin(self, user: str) -> bool:
        return is_online_admin(self._namespace.rooms, user)


def _unknown(event: EventName) -> RefusedError:
    return RefusedError(EventCode.UNKNOWN_EVENT, f"There is no event {str(event)[:64]!r}.")


class Receipt:
    """What a sender hears when its message is stored, or is not."""

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


ROUTES: Final[Mapping[EventName, Handler]] = {
    "mensaje_privado": ChatRouter.private_message,
    "conectados": ChatRouter.connected,
    "atencion": ChatRouter.attended,
    "nodos": ChatRouter.nodes,
    "historial": ChatRouter.history,
    "conversaciones": ChatRouter.conversations,
    "no_leidos": ChatRouter.unread,
    "quien_soy": ChatRouter.who_am_i,
    "leido": ChatRouter.mark_read,
    "no_leido": ChatRouter.mark_unread,
    "leido_todo": ChatRouter.mark_all_read,
    "conversacion": ChatRouter.conversation,
    "escribiendo": ChatRouter.say_writing,
}
