"""The operations of a team, which run its events; 404 without a team. Rule A-12."""

from __future__ import annotations

from typing import Final

from chatd.api import words
from chatd.api.chat import CREATED
from chatd.api.keys import Scope
from chatd.api.operation import Operation, asks, changes
from chatd.team.case import CaseAnswer
from chatd.team.notes import Noted, NotePage
from chatd.team.replies import Changed, RepliesPage

TEAM_OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="PUT",
        path="/v1/conversaciones/{con}/atiende",
        scope=Scope.SEND,
        summary="Claim a conversation; relevo takes it over from another admin",
        run=changes("atender", "con"),
        body=words.NewClaim,
        answer=CaseAnswer,
    ),
    Operation(
        method="DELETE",
        path="/v1/conversaciones/{con}/atiende",
        scope=Scope.SEND,
        summary="Release a conversation",
        run=asks("soltar", "con"),
        query=words.AsWhom,
        answer=CaseAnswer,
    ),
    Operation(
        method="PUT",
        path="/v1/conversaciones/{con}/resuelto",
        scope=Scope.SEND,
        summary="Resolve a conversation, up to the message hasta",
        run=changes("resolver", "con"),
        body=words.NewResolution,
        answer=CaseAnswer,
    ),
    Operation(
        method="GET",
        path="/v1/conversaciones/{con}/notas",
        scope=Scope.READ,
        summary="A page of the notes about a user, oldest first",
        run=asks("notas", "con"),
        query=words.NotesQuery,
        answer=NotePage,
    ),
    Operation(
        method="POST",
        path="/v1/conversaciones/{con}/notas",
        scope=Scope.SEND,
        summary="Keep a note about a user, for admins alone",
        run=changes("nota", "con", status=CREATED),
        body=words.NewNote,
        answer=Noted,
        status=CREATED,
    ),
    Operation(
        method="GET",
        path="/v1/respuestas",
        scope=Scope.READ,
        summary="The canned replies of the team, by shortcut",
        run=asks("respuestas"),
        query=words.RepliesQuery,
        answer=RepliesPage,
    ),
    Operation(
        method="PUT",
        path="/v1/respuestas/{atajo}",
        scope=Scope.SEND,
        summary="Add or change a canned reply",
        run=changes("respuesta", "atajo"),
        body=words.NewReply,
        answer=Changed,
    ),
    Operation(
        method="DELETE",
        path="/v1/respuestas/{atajo}",
        scope=Scope.SEND,
        summary="Delete a canned reply",
        run=asks("respuesta", "atajo"),
        query=words.AsWhom,
        answer=Changed,
    ),
)
