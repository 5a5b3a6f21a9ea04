"""Node.js nodes are joined to this chat, through Redis. Rules N-30 to N-39."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator
from typing import Final

from chatd.base.part import Part
from chatd.base.refusals import Refusals
from chatd.chat.chat import Chat
from chatd.chat.config import ChatConfig
from chatd.chat.messages.audience import recipients
from chatd.chat.messages.ids import parts
from chatd.chat.messages.payload import PAYLOADS
from chatd.chat.neighbours.answering import Answerer
from chatd.chat.neighbours.attendance import Attendance
from chatd.chat.neighbours.roster import Roster
from chatd.chat.neighbours.taking import Taker
from chatd.chat.neighbours.telling import Teller
from chatd.chat.recovery.recovery import Recovery
from chatd.cluster.adapter import said
from chatd.cluster.adapter.channels import Channels
from chatd.cluster.adapter.faults import Fault, ForeignError
from chatd.cluster.adapter.values import Bounds
from chatd.cluster.redis.address import RedisAddress
from chatd.cluster.redis.client import RedisClient
from chatd.cluster.redis.wire import Subscription
from chatd.store.base import Message

_UID_BYTES: Final = 12
_PURPOSE: Final = b"chatd uid"

log = logging.getLogger("chatd.chat")


def uid_of(key: bytes) -> str:
    """What the daemons of one chat are called there. They have it in common, and so hear nothing of each other."""
    digest = hashlib.blake2b(key=key, person=_PURPOSE, digest_size=_UID_BYTES).digest()
    return f"chatd-{base64.urlsafe_b64encode(digest).decode()}"


class Neighbours:
    """One for the daemon."""

    def __init__(self, address: RedisAddress, config: ChatConfig, bounds: Bounds, path: str, *, secure: bool) -> None:
        """`path` and `secure` say how clients connect."""
        self.received = 0  # all that came, but for what this chat has said itself
        self._channels = Channels(config.bus_adapter_key)
        subscription = Subscription((self._channels.requests,), (self._channels.broadcasts,))
        self._client = RedisClient("adapter", address, subscription, self)
        self._config = config
        self._payload = PAYLOADS[config.payload]
        self._bounds = bounds
        self._path = path
        self._secure = secure
        self.refusals: Refusals[Fault]
        self._teller: Teller
        self._attendance: Attendance
        self._taker: Taker
        self._answerer: Answerer
        self._uid: str
        self._own: bytes

    def join(self, chat: Chat, recovery: Recovery) -> Part:
        """Must be called before the first client connects. The part connects in the background; messages that wait when
        it closes are dropped.
        """
        namespace, roster = chat.namespace, Roster(chat.namespace, chat.clock_ms)
        chat.router.add(roster.feature)
        position = (lambda: recovery.position) if self._config.recovery == "on" else None
        self._taker = Taker(namespace, roster, self._bounds, position)
        self._answerer = Answerer(namespace, roster, self._taker, self._answer, self._path, secure=self._secure)
        self.refusals = Refusals(Fault, namespace.timers.now, log)
        self._teller = Teller(namespace.timers, self._client, self._config.bus_adapter_queue)
        self._attendance = Attendance(namespace.timers, self._client.ask, self._channels.requests, self._teller)
        self._uid = uid_of(chat.store.recovery_key)
        self._own = said.beginning(self._uid)
        chat.messages.feed.listeners.append(self._on_delivery)
        refusals = {"adapter": self.refusals.counts.items}
        return Part(start=self._client.start, close=self._close, refusals=refusals, shown={"neighbours": lambda: self})

    # For metrics.py.

    @property
    def is_up(self) -> bool:
        return self._client.fault is None

    @property
    def outages(self) -> int:
        return self._client.outages

    def traffic(self) -> Iterator[tuple[str, int]]:
        """Counters: messages published and dropped; messages received, delivered and answered."""
        yield "told", self._teller.told
        yield "dropped", self._teller.dropped
        yield "received", self.received
        yield "taken", self._taker.taken
        yield "answered", self._answerer.answered

    # ClientHandler

    def on_up(self) -> None:
        self._teller.open(after_outage=self._client.failures > 0)
        self._attendance.open()

    def on_down(self) -> None:
        self._attendance.close()
        self._teller.close()

    def on_message(self, channel: bytes, data: bytes) -> None:
        """Rule N-34: whatever it is, it does no harm."""
        if data.startswith(self._own):
            return
        self.received += 1
        try:
            where = channel.decode()
            if where == self._channels.requests:
                self._answerer.take(data)
            else:
                self._taker.take(self._channels.room(where), data)
        except UnicodeDecodeError:
            self.refusals.add(Fault.UNREADABLE, "refused from Redis: a channel that is no text")
        except ForeignError as error:
            self.refusals.add(error.fault, f"refused from Redis: {error}")
        except Exception:
            log.exception("a handler failed")

    # Internals.

    async def _close(self) -> None:
        self._attendance.close()
        self._teller.close()
        self._answerer.close()
        await self._client.close()

    def _answer(self, data: bytes) -> None:
        self._client.publish(self._channels.answers, data)

    def _on_delivery(self, message: Message) -> None:
        """Of a message of another daemon of this chat, that one tells."""
        if parts(message.id).node == self._config.node:
            rooms = recipients(message.para, supervised=message.supervisado)
            frame = said.event(self._uid, "mensaje_recibido", self._payload(message), rooms)
            self._teller.tell(self._channels.to(rooms), frame)
