"""One connection to Redis without its socket: what to write, and what the bytes mean that came. No asyncio.

RESP3 (https://redis.io/docs/latest/develop/reference/protocol-spec/), which Redis 6 and Valkey speak: one connection
publishes and listens. With two, one may be back before the other after an outage, and what is published meanwhile is
heard by nobody.

Redis answers commands in their order; what it pushes comes between the answers. Pub/Sub knows no databases: two
deployments on one server need two channels, whatever SELECT says.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import hiredis

from chatd.cluster.redis.address import RedisAddress

MAX_REPLY_BYTES: Final = 16_777_216
"""Of one that has not come whole. The largest frame is smaller by far: something else publishes on the channel."""


class RedisError(Exception):
    """The connection cannot be used any more; the message says why, for the log."""


class Command(enum.Enum):
    """What an answer is awaited for."""

    HELLO = "HELLO"
    SELECT = "SELECT"
    SUBSCRIBE = "SUBSCRIBE"
    PUBLISH = "PUBLISH"
    PING = "PING"


class Event(enum.Enum):
    """What came, beside messages."""

    SUBSCRIBED = "subscribed"


class Wire:
    """From the first byte to the last of one connection."""

    __slots__ = ("_address", "_awaited", "_channel", "_reader", "is_subscribed")

    def __init__(self, address: RedisAddress, channel: str) -> None:
        self.is_subscribed = False
        self._address = address
        self._channel = channel.encode()
        self._awaited: deque[Command] = deque()
        self._reader = hiredis.Reader()

    @property
    def unanswered(self) -> int:
        """Commands that Redis has not answered yet."""
        return len(self._awaited)

    def greeting(self) -> bytes:
        """The first thing to write: who we are, and what we want to hear."""
        login = () if self._address.password is None else ("AUTH", self._address.user, self._address.password)
        out = self._command(Command.HELLO, "3", *login, "SETNAME", "chatd")
        if self._address.database:
            out += self._command(Command.SELECT, self._address.database)
        # What answers it is a push, and so out of the order.
        return out + _pack(Command.SUBSCRIBE, self._channel)

    def publish(self, data: bytes) -> bytes:
        return self._command(Command.PUBLISH, self._channel, data)

    def ping(self) -> bytes:
        return self._command(Command.PING)

    def feed(self, data: bytes) -> Iterator[bytes | Event]:
        """The messages, and what else counts, in what came. Raises RedisError; what came before that still counts."""
        self._reader.feed(data)
        while (reply := self._next()) is not False:
            if isinstance(reply, hiredis.PushNotification):
                event = self._pushed(reply)
                if event is not None:
                    yield event
            else:
                self._answered(reply)
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

    def _pushed(self, push: list[Any]) -> bytes | Event | None:
        match push:
            case [b"message", self._channel, bytes(data)]:
                return data
            case [b"subscribe", self._channel, _]:
                self.is_subscribed = True
                return Event.SUBSCRIBED
            case [b"unsubscribe", *_]:
                raise RedisError("the subscription was ended")
        return None

    def _answered(self, reply: Any) -> None:
        if isinstance(reply, hiredis.ReplyError):
            raise RedisError(self._fault(str(reply)))
        if not self._awaited:
            raise RedisError("an answer to nothing")
        command = self._awaited.popleft()
        if command is Command.PUBLISH and reply == 0 and self.is_subscribed:
            raise RedisError("nobody hears what is published, not even this node")

    def _fault(self, said: str) -> str:
        """SUBSCRIBE is refused by an error that is no push, so what it answers is not always the oldest command."""
        if self._awaited and self._awaited[0] is Command.HELLO and said.startswith("ERR unknown command"):
            return "it speaks no RESP3: Redis 6 or newer is needed"
        return said


def _pack(command: Command, *arguments: str | bytes | int) -> bytes:
    words: Any = (command.value, *arguments)  # hiredis declares a tuple of one
    packed: bytes = hiredis.pack_command(words)
    return packed
