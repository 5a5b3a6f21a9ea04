"""How much one user may have and send, over all its sockets. Rules L-05, L-06, L-13 and C-54 of protocol.md."""

from __future__ import annotations

import enum
import logging
import math
from collections.abc import Callable
from typing import Final

from chatd.base.errors import RefusedError
from chatd.base.rates import Rates
from chatd.base.refusals import Refusals
from chatd.chat.config import ChatConfig
from chatd.chat.events import EventCode
from chatd.socketio.namespace import ConnectRefusedError

# A client that is refused so many bursts, faster than the rate itself, ignores its answers.
PATIENCE_BURSTS: Final = 10

# Who begins and stops, over and over, in several conversations.
TYPING_BURST: Final = 10

log = logging.getLogger("chatd.chat")


class ChatLimit(enum.StrEnum):
    """By the name of the setting."""

    MAX_CONNECTIONS_PER_USER = "max_connections_per_user"
    MESSAGE_RATE = "message_rate"
    TYPING_RATE = "typing_rate"
    MAX_CHARS_PER_MINUTE = "max_chars_per_minute"


class LimitCode(enum.StrEnum):
    """`data.code` of a refused CONNECT."""

    TOO_MANY_CONNECTIONS = "too_many_connections"


class TooFastError(RefusedError):
    """A message that comes too soon; `persistent` if its user has been told too often."""

    def __init__(self, wait_s: float, *, persistent: bool, why: str = "Too many messages: the next one") -> None:
        retry_after_ms = math.ceil(wait_s * 1000 - 1e-3)  # a microsecond is not worth another millisecond
        message = f"{why} is accepted in {retry_after_ms} ms."
        super().__init__(EventCode.RATE_LIMITED, message, retry_after_ms=retry_after_ms)
        self.persistent = persistent


class ChatLimits:
    """Buckets by user. Keeps nothing of users who send slowly, and nothing at all where the limits are off."""

    def __init__(self, config: ChatConfig, now: Callable[[], float]) -> None:
        """`now` is in seconds."""
        self.refusals = Refusals(ChatLimit, now, log)
        self.max_sockets = config.max_connections_per_user
        self._messages: Rates[str] = Rates(config.message_rate, config.message_burst)
        self._warnings: Rates[str] = Rates(config.message_rate, PATIENCE_BURSTS * config.message_burst)
        self._chars: Rates[str] = Rates(config.max_chars_per_minute / 60, config.max_chars_per_minute)
        self._typing: Rates[str] = Rates(config.typing_rate, TYPING_BURST)
        self._typing_warnings: Rates[str] = Rates(config.typing_rate, PATIENCE_BURSTS * TYPING_BURST)
        self._now = now

    def use(self, config: ChatConfig) -> None:
        """Other limits from now on. Who has more sockets than that keeps them."""
        self.max_sockets = config.max_connections_per_user
        self._messages.change(config.message_rate, config.message_burst)
        self._warnings.change(config.message_rate, PATIENCE_BURSTS * config.message_burst)
        self._chars.change(config.max_chars_per_minute / 60, config.max_chars_per_minute)
        self._typing.change(config.typing_rate, TYPING_BURST)
        self._typing_warnings.change(config.typing_rate, PATIENCE_BURSTS * TYPING_BURST)

    def check_sockets(self, user: str, sockets: int) -> None:
        """Whether `user`, who has so many, may have one more. Raises ConnectRefusedError."""
        if 0 < self.max_sockets <= sockets:
            limit = ChatLimit.MAX_CONNECTIONS_PER_USER
            self.refusals.add(limit, "socket refused: the user has as many as allowed", user=user)
            message = f"You are connected {self.max_sockets} times already, which is as often as one user may be."
            raise ConnectRefusedError(message, {"code": LimitCode.TOO_MANY_CONNECTIONS})

    def check_pace(self, user: str) -> None:
        """Whether `user` may send now. Raises TooFastError."""
        now = self._now()
        wait_s = self._messages.take(user, now)
        if wait_s > 0:
            self.refusals.add(ChatLimit.MESSAGE_RATE, "message refused: the user sends too fast", user=user)
            raise TooFastError(wait_s, persistent=self._warnings.take(user, now) > 0)

    def check_chars(self, user: str, chars: int) -> None:
        """Whether `user` may send a message of so many characters now. Rule L-13. Raises TooFastError."""
        wait_s = self._chars.take(user, self._now(), chars)
        if wait_s > 0:
            why = "message refused: the user sends too many characters"
            self.refusals.add(ChatLimit.MAX_CHARS_PER_MINUTE, why, user=user)
            raise TooFastError(wait_s, persistent=False, why="Too many characters: this message")

    def check_typing(self, user: str) -> None:
        """Whether `user` may say to be writing. Takes nothing of what it may send. Raises TooFastError."""
        now = self._now()
        wait_s = self._typing.take(user, now)
        if wait_s > 0:
            self.refusals.add(ChatLimit.TYPING_RATE, "somebody says too often to be writing", user=user)
            raise TooFastError(wait_s, persistent=self._typing_warnings.take(user, now) > 0)
