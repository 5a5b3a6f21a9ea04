"""What the fields of a log line mean: the only source of the table in README.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FIELDS: Final[Mapping[str, str]] = {
    "time": "when, UTC, ISO 8601 with milliseconds",
    "level": "debug, info, warning or error; an error needs an operator",
    "logger": "the part of chatd: chatd, chatd.listen, chatd.engineio, chatd.socketio, chatd.chat, chatd.store, ...",
    "message": "what happened; the same event always has the same words",
    "error": "the traceback of an unexpected exception: a bug",
    "sid": "the start of a session's id: the node's mark, if any, and 8 characters. The whole id is a secret: with it, "
    "a reader of the log could act as the client",
    "user": "the claim `user` of the token",
    "payer": "the account that a client's work and memory count for: `user:` and its name, or its address before it "
    "has joined",
    "address": "the client's address; behind a trusted proxy, the address that the proxy reports",
    "transport": "polling or websocket, when the line was written",
    "reason": "why a session ended; rule E-20 of protocol.md has the list",
    "code": "the error that the client got, `error.code` of protocol.md; or why the database refused",
    "cause": "the error of the system or of the database, or why there is no answer",
    "node": "the number of a node, where there are several",
    "limit": "the setting that was reached; for `open files`, how many files the process may open",
    "refused": "how often that limit was reached since the start; at most one line in ten seconds for each limit",
    "request_id": "API: the X-Request-Id of the answer",
    "method": "API: the method of the request",
    "operation": "API: the path as in the OpenAPI document, with placeholders instead of names",
    "key": "API: the name of the key, never the key itself",
    "status": "the HTTP status of an answer of the API, or of a receiver of webhooks",
    "hook": "the name of a webhook",
    "event": "the id of an event of a webhook",
    "left_out": "how many lines with the same message were not written in the ten seconds before this line",
    "keys": "the number of keys of the identity provider that are accepted from now on",
    "among": "what could not be stored: messages, read marks or seen marks",
    "failures": "how many could not be stored since the start",
    "messages": "how many messages were deleted; or lost because a stop took too long: none of these was acknowledged",
    "days": "the age in days from which messages are deleted",
    "connections": "how many connections were open when the stop began",
    "timeout_s": "the time for a stop, in seconds",
    "host": "the address that the daemon listens on",
    "port": "the port that the daemon listens on",
    "tls": "whether this port speaks TLS",
    "unix": "the path of the unix socket that the daemon listens on",
    "inherited": "the name of a socket that systemd has opened",
    "path": "the path under which clients connect; for `store open`, the file",
    "greatest_id": "the id of the last stored message, null if there is none",
    "max_connections": "the setting, when open_files is too small for it",
    "open_files": "how many files the process may open",
    "part": "the part whose reload failed",
    "parts": "the parts that were reloaded",
    "kept": "files that were not read again, because systemd copies them only at a start (LoadCredential)",
    "settings": "settings that a reload has changed, or that change only with the next start",
    "step_s": "seconds by which the wall clock was set forward; negative: back",
    "timed": "the kind of deadline whose handler failed: a bug",
}


def table() -> str:
    """The fields as a table in Markdown, for README.md."""
    lines = [f"| `{field}` | {meaning} |" for field, meaning in FIELDS.items()]
    return "\n".join(["| field | what it says |", "|---|---|", *lines]) + "\n"
