"""Every error that chatd raises on purpose. Any other exception that escapes is a bug.

ChatdError
├── WireError        a peer broke a rule of the wire: its session ends, and no other
├── ConfigError      the operator erred: the process does not start, and says what to change
├── RefusedError     the user may not: a code for programs, a message for people
└── QueueFullError   a bound was reached: the caller that wanted to add handles it
"""

from __future__ import annotations


class ChatdError(Exception):
    """The root of all errors that chatd raises on purpose."""


class WireError(ChatdError):
    """A peer broke a rule of protocol.md: end its session, never the process."""


class ConfigError(ChatdError):
    """A setting is wrong or missing; the message says which, and what to do."""


class RefusedError(ChatdError):
    """A request was understood and is not granted.

    `code` is one of the documented words of protocol.md, `message` is a sentence for people, and `details` are
    further fields of the answer.
    """

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class QueueFullError(ChatdError):
    """A queue has reached its limit."""
