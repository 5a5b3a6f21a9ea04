"""What the fields of a log line mean: the only source of the table in README.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FIELDS: Final[Mapping[str, str]] = {
    "time": "when, UTC, ISO 8601 with milliseconds",
    "level": "debug, info, warning or error; an error needs an operator",
    "logger": "the part of chatd: chatd, chatd.listen, chatd.engineio, chatd.socketio, chatd.chat, chatd.store, ...",
    "message": "what happened; the same fact has always the same words",
    "error": "the traceback of an unexpected exception: a bug",
    "sid": "the beginning of a session's id: the node's mark, if any, and 8 characters. All of it would let its reader "
    "speak as the client",
    "user": "the claim `user` of the token",
    "payer": "who pays for a client's work and memory: `user:` and its name, or its address before it has joined",
    "address": "the client's, or what a trusted proxy says it is",
    "transport": "polling or websocket, at that moment",
    "reason": "why a session ended; rule E-20 of protocol.md has the list",
    "code": "what the client was told, `error.code` of protocol.md; or why the database refused",
    "cause": "what the system or the database said, or why there is no answer",
    "node": "the number of a node, among several",
    "limit": "the setting that was reached; for `open files`, how many the process may have",
    "refused": "how often that limit was reached since the start; its lines come at most once in ten seconds",
    "request_id": "of the API: what the answer has as X-Request-Id",
    "method": "of the API: of the request",
    "operation": "of the API: the path as its OpenAPI document has it, without the names in it",
    "key": "of the API: the name of the key, never the key",
    "status": "of the API or of a receiver of webhooks: that of the answer",
    "hook": "the name of a webhook",
    "event": "the id of an event of a webhook",
    "left_out": "how many lines of the same words came before it in the last ten seconds and were not written",
    "keys": "how many keys of the identity provider hold from now on",
    "among": "what could not be stored: messages, read marks or seen marks",
    "failures": "how many could not be stored since the start",
    "messages": "how many were deleted; or lost to a stop that took too long, and none of them was acknowledged",
    "days": "the age from which on messages are deleted",
    "connections": "how many were open when the stop began",
    "timeout_s": "the time for a stop, in seconds",
    "host": "of the address that is listened on",
    "port": "of the same",
    "tls": "whether it speaks TLS",
    "unix": "the path of the unix socket that is listened on",
    "inherited": "the name that systemd gave to a socket it has opened",
    "path": "where clients connect; for `store open`, the file",
    "greatest_id": "the id of the last message that is stored, null if there is none",
    "max_connections": "the setting, beside open_files that are too few for it",
    "open_files": "how many files the system lets the process have open",
    "part": "what kept a reload from being done",
    "parts": "what was reloaded",
    "kept": "what was not read again, because systemd hands over its files at a start (LoadCredential)",
    "settings": "what a reload has changed, or leaves as it was until the next start",
    "step_s": "how far the wall clock was set ahead, in seconds; with a minus, back",
    "timed": "the kind of deadline that failed: a bug",
}


def table() -> str:
    """The fields as a page shows them: Markdown."""
    lines = [f"| `{field}` | {meaning} |" for field, meaning in FIELDS.items()]
    return "\n".join(["| field | what it says |", "|---|---|", *lines]) + "\n"
