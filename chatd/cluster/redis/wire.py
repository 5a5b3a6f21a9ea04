"""The protocol of one connection to Redis. Sans I/O: encodes commands and decodes replies.

RESP3 (https://redis.io/docs/latest/develop/reference/protocol-spec/), which Redis 6 and Valkey speak: one connection
both publishes and subscribes. With two connections, one could reconnect before the other after an outage, and messages
published meanwhile would be lost.

Redis answers commands in their order; push messages come between the answers. Pub/Sub ignores the selected database:
two deployments on one server need different channels.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import hiredis

from chatd.cluster.redis.address import RedisAddress

MAX_REPLY_BYTES: Final = 16_777_216
"""The limit of an incomplete reply. Frames of chatd are much smaller: another program publishes on the channel."""


class RedisError(Exception):
    """The connection cannot be used any more; the message says why, for the log."""


class Command(enum.Enum):
    """Commands of Redis."""

    HELLO = "HELLO"
    SELECT = "SELECT"
    SUBSCRIBE = "SUBSCRIBE"
    PSUBSCRIBE = "PSUBSCRIBE"
    PUBLISH = "PUBLISH"
    PING = "PING"
    INFO = "INFO"
    PUBSUB = "PUBSUB"


QUESTIONS: Final = frozenset({Command.INFO, Command.PUBSUB})
"""Commands whose answers are passed to the caller."""


class Event(enum.Enum):
    """Events other than messages and answers."""

    SUBSCRIBED = "subscribed"


@dataclasses.dataclass(frozen=True, slots=True)
class Subscription:
    """The channels that a connection subscribes to, and prefixes of channels."""

    channels: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.channels) + len(self.prefixes)

    def has(self, channel: str) -> bool:
        return channel in self.channels or channel.startswith(self.prefixes)


class Heard(NamedTuple):
    """A message and its channel."""

    channel: bytes
    data: bytes


class Answer(NamedTuple):
    """The answer to a command; None if Redis refuses it, for example for lack of permission."""

    value: Any


class Wire:
    """The state of one connection."""

    __slots__ = ("_address", "_awaited", "_confirmed", "_reader", "_subscription", "unconfirmed")

    def __init__(self, address: RedisAddress, subscription: Subscription) -> None:
        self._address = address
        self._subscription = subscription
        self._confirmed = 0
        self.unconfirmed = 0  # publications that Redis has not answered yet
        self._awaited: deque[Command | None] = deque()  # unanswered commands; None: the answer is not checked
        self._reader = hiredis.Reader()

    @property
    def is_subscribed(self) -> bool:
        return self._confirmed == len(self._subscription)

    @property
    def unanswered(self) -> int:
        """Commands that Redis has not answered yet."""
        return len(self._awaited)

    def greeting(self) -> bytes:
        """The first bytes to send: authentication and subscriptions."""
        login = () if self._address.password is None else ("AUTH", self._address.user, self._address.password)
        out = self._command(Command.HELLO, "3", *login, "SETNAME", "chatd")
        if self._address.database:
            out += self._command(Command.SELECT, self._address.database)
        # Redis answers these by push messages, so they are not added to `_awaited`.
        if self._subscription.channels:
            out += _pack(Command.SUBSCRIBE, *self._subscription.channels)
        if self._subscription.prefixes:
            out += _pack(Command.PSUBSCRIBE, *(f"{_literal(prefix)}*" for prefix in self._subscription.prefixes))
        return out

    def publish(self, channel: str, data: bytes) -> bytes:
        self.unconfirmed += 1
        if self._subscription.has(channel):
            return self._command(Command.PUBLISH, channel, data)
        self._awaited.append(None)
        return _pack(Command.PUBLISH, channel, data)

    def ping(self) -> bytes:
        return self._command(Command.PING)

    def ask(self, question: Command, *arguments: str) -> bytes:
        """Encode one of QUESTIONS; only after `is_subscribed`. Answers come in the order of the calls."""
        return self._command(question, *arguments)

    def feed(self, data: bytes) -> Iterator[Heard | Event | Answer]:
        """The messages, events and answers in `data`. Raises RedisError after those that came before the error."""
        self._reader.feed(data)
        while (reply := self._next()) is not False:
            event = self._pushed(reply) if isinstance(reply, hiredis.PushNotification) else self._answered(reply)
            if event is not None:
                yield event
        if self._reader.len() > MAX_REPLY_BYTES:
            raise RedisError(f"a reply of more than {MAX_REPLY_BYTES} bytes")

    def _next(self) -> Any:
        try:
            return self._reader.gets()
        except hiredis.HiredisError as error:
            raise RedisError(f"no Redis: {error}") from error

    def _command(self, command: Command, *arguments: str | bytes | int) -> bytes:
        self._awaited.append(command)
        return _pack(command, *arguments)

    def _pushed(self, push: list[Any]) -> Heard | Event | None:
        match push:
            case [b"message", bytes(channel), bytes(data)] | [b"pmessage", _, bytes(channel), bytes(data)]:
                return Heard(channel, data)
            case [b"subscribe" | b"psubscribe", _, _]:
                self._confirmed += 1
                return Event.SUBSCRIBED if self.is_subscribed else None
            case [b"unsubscribe" | b"punsubscribe", *_]:
                raise RedisError("the subscription was ended")
        return None

    def _answered(self, reply: Any) -> Answer | None:
        is_answer = bool(self._awaited) and self._awaited[0] in QUESTIONS
        if isinstance(reply, hiredis.ReplyError) and not is_answer:
            raise RedisError(self._fault(str(reply)))
        if not self._awaited:
            raise RedisError("an answer to nothing")
        command = self._awaited.popleft()
        if command is Command.HELLO and self._address.master and _role(reply) != b"master":
            raise RedisError("it is a replica, and not the master that a Sentinel took it for")
        if is_answer:
            return Answer(None if isinstance(reply, hiredis.ReplyError) else reply)
        if command is Command.PUBLISH and reply == 0 and self.is_subscribed:
            raise RedisError("nobody hears what is published, not even this node")
        if command in (Command.PUBLISH, None):
            self.unconfirmed -= 1
        return None

    def _fault(self, said: str) -> str:
        """The error text. An error may also answer SUBSCRIBE, so it does not always belong to the oldest command."""
        if self._awaited and self._awaited[0] is Command.HELLO and said.startswith("ERR unknown command"):
            return "it speaks no RESP3: Redis 6 or newer is needed"
        return said


def _role(hello: Any) -> Any:
    """The role in the answer to HELLO; None if there is none."""
    return hello.get(b"role") if isinstance(hello, dict) else None


def _literal(text: str) -> str:
    """A PSUBSCRIBE pattern that matches only `text` (https://redis.io/docs/latest/commands/psubscribe/)."""
    return re.sub(r"([\\*?\[\]])", r"\\\1", text)


def _pack(command: Command, *arguments: str | bytes | int) -> bytes:
    words: Any = (command.value, *arguments)  # hiredis declares the parameter as a tuple of one element
    packed: bytes = hiredis.pack_command(words)
    return packed
