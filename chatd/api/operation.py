"""What an operation of the API is, and the kinds of those that are events of the chat."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec

from chatd.api import words
from chatd.api.call import Call
from chatd.api.chat import Chat
from chatd.api.keys import Scope
from chatd.api.people import People
from chatd.api.stream import Streams
from chatd.ops.sources import Sources


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the daemon that operations use."""

    chat: Chat
    people: People
    sources: Sources
    streams: Streams
    document: Callable[[], bytes]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`path` has names in braces. `scope` None: no key is needed."""

    method: str
    path: str
    scope: Scope | None
    summary: str
    run: Callable[[Parts, Call], None]
    answer: Any = None
    status: int = 200
    query: type[words.Query] = words.Query
    body: type[msgspec.Struct] | None = None
    waits: bool = True
    """Whether the operation answers later."""


def asks(event: str, *params: str) -> Callable[[Parts, Call], None]:
    """An operation that runs an event of the chat."""
    return lambda parts, call: parts.chat.ask(call, event, **{name: call.params[name] for name in params})


def changes(event: str, *params: str, status: int = 200) -> Callable[[Parts, Call], None]:
    """An operation that runs an event with the fields of a body."""
    return lambda parts, call: parts.chat.change(call, event, status, **{name: call.params[name] for name in params})
