"""Every operation of the API: one table, from which requests are served and the OpenAPI document is made.

Rules A-24 and A-30 to A-32.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chatd.api import words
from chatd.api.chat import CREATED
from chatd.api.counting import counts
from chatd.api.keys import Scope
from chatd.api.operation import Operation, asks, changes
from chatd.api.team import TEAM_OPERATIONS
from chatd.chat.events import Stored
from chatd.chat.history.questions import ConversationList, History, UnreadCounts
from chatd.chat.history.receipts import Marked
from chatd.chat.history.search import Hits
from chatd.chat.history.standing import Conversation
from chatd.chat.presence.attended import Attended
from chatd.chat.presence.connected import Connected

CID_HEADER: Final = b"idempotency-key"


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path="/v1/openapi.json",
        scope=None,
        summary="This document",
        run=lambda parts, call: call.answer(msgspec.Raw(parts.document())),
        answer=dict[str, Any],
        waits=False,
    ),
    Operation(
        method="POST",
        path="/v1/mensajes",
        scope=Scope.SEND,
        summary="Send a message; the header Idempotency-Key is its cid",
        run=lambda parts, call: parts.chat.send(call),
        body=words.NewMessage,
        answer=Stored,
        status=CREATED,
    ),
    Operation(
        method="POST",
        path="/v1/mensajes/lote",
        scope=Scope.SEND,
        summary="Send several messages, each with its own answer",
        run=lambda parts, call: parts.chat.send_many(call),
        body=words.NewMessages,
        answer=words.Outcomes,
    ),
    Operation(
        method="POST",
        path="/v1/leidos",
        scope=Scope.SEND,
        summary="Mark a conversation as read",
        run=changes("leido"),
        body=words.NewMark,
        answer=Marked,
    ),
    Operation(
        method="POST",
        path="/v1/leidos/todo",
        scope=Scope.SEND,
        summary="Mark all conversations as read",
        run=changes("leido_todo"),
        body=words.AllRead,
        answer=Marked,
    ),
    Operation(
        method="GET",
        path="/v1/conversaciones",
        scope=Scope.READ,
        summary="The conversations of an admin, most recent first",
        run=asks("conversaciones"),
        query=words.ConversationsQuery,
        answer=ConversationList,
    ),
    Operation(
        method="GET",
        path="/v1/conversaciones/{con}",
        scope=Scope.READ,
        summary="How far a conversation has been read, and whether its user is here",
        run=asks("conversacion", "con"),
        query=words.AsWhom,
        answer=Conversation,
    ),
    Operation(
        method="GET",
        path="/v1/conversaciones/{con}/mensajes",
        scope=Scope.READ,
        summary="A page of a conversation, oldest first",
        run=asks("historial", "con"),
        query=words.HistoryQuery,
        answer=History,
    ),
    Operation(
        method="GET",
        path="/v1/encontrados",
        scope=Scope.READ,
        summary="Messages by the words in them, newest first",
        run=asks("buscar"),
        query=words.SearchQuery,
        answer=Hits,
    ),
    Operation(
        method="GET",
        path="/v1/no_leidos",
        scope=Scope.READ,
        summary="How many messages are unread, by conversation",
        run=asks("no_leidos"),
        query=words.UnreadQuery,
        answer=UnreadCounts,
    ),
    Operation(
        method="POST",
        path="/v1/no_leidos",
        scope=Scope.SEND,
        summary="Mark a conversation as unread from a message on",
        run=changes("no_leido"),
        body=words.NewUnread,
        answer=Marked,
    ),
    Operation(
        method="GET",
        path="/v1/presencia",
        scope=Scope.PEOPLE,
        summary="Users who are here, by name",
        run=asks("conectados"),
        query=words.PeopleQuery,
        answer=Connected,
    ),
    Operation(
        method="GET",
        path="/v1/atencion",
        scope=Scope.READ,
        summary="Whether an admin is connected",
        run=asks("atencion"),
        answer=Attended,
    ),
    Operation(
        method="GET",
        path="/v1/personas",
        scope=Scope.PEOPLE,
        summary="Users and their connections, by name",
        run=lambda parts, call: parts.people.page(call),
        query=words.PeopleQuery,
        answer=words.PeopleHere,
    ),
    Operation(
        method="DELETE",
        path="/v1/personas/{user}",
        scope=Scope.KICK,
        summary="End all sessions of a user",
        run=lambda parts, call: parts.people.kick(call),
        answer=words.Kicked,
    ),
    Operation(
        method="PUT",
        path="/v1/denegados/usuarios/{user}",
        scope=Scope.KICK,
        summary="Deny a user at once, and after every restart",
        run=lambda parts, call: parts.people.deny_user(call),
        answer=words.Denied,
    ),
    Operation(
        method="PUT",
        path="/v1/denegados/jti/{jti}",
        scope=Scope.KICK,
        summary="Deny a token at once, by its claim jti",
        run=lambda parts, call: parts.people.deny_token(call),
        answer=words.Denied,
    ),
    Operation(
        method="GET",
        path="/v1/eventos",
        scope=Scope.READ,
        summary="Messages as server-sent events, from any position; Last-Event-ID goes on",
        run=lambda parts, call: parts.streams.open(call),
        query=words.EventsQuery,
        waits=False,
    ),
    Operation(
        method="GET",
        path="/v1/cuentas",
        scope=Scope.COUNTS,
        summary="The numbers of /metrics",
        run=lambda parts, call: call.answer(counts(parts.sources)),
        answer=words.Counts,
        waits=False,
    ),
    *TEAM_OPERATIONS,
)


class Routes:
    """Finds operations by path and method."""

    def __init__(self, operations: tuple[Operation, ...] = OPERATIONS) -> None:
        self._by_path: dict[tuple[str, ...], dict[str, Operation]] = {}
        for one in operations:
            self._by_path.setdefault(tuple(one.path.split("/")), {})[one.method] = one

    def find(self, segments: list[str]) -> tuple[Mapping[str, Operation], Mapping[str, str]] | None:
        """The operations of a path by method, and the values of its parameters; None if there is no such path.

        A path without names comes first, so that no name can hide it.
        """
        fixed = self._by_path.get(tuple(segments))
        if fixed is not None:
            return fixed, {}
        for template, methods in self._by_path.items():
            if len(template) == len(segments) and "{" in "".join(template):
                params = _match(template, segments)
                if params is not None:
                    return methods, params
        return None


def allowed(methods: Mapping[str, Operation]) -> bytes:
    """The value of Allow."""
    return ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})).encode()


def _match(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for part, segment in zip(template, segments, strict=True):
        if part.startswith("{") and segment:
            params[part[1:-1]] = segment
        elif part != segment:
            return None
    return params
