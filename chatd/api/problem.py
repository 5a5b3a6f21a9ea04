"""How a request is refused: RFC 9457, with the codes of protocol.md. Rules A-05 and A-06."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from typing import Final

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode
from chatd.store.base import StoreCode

CONTENT_TYPE: Final = b"application/problem+json"


class ApiCode(enum.StrEnum):
    """Codes of refusals that only the API has; the others are those of events."""

    KEY_MISSING = "key_missing"
    KEY_INVALID = "key_invalid"
    SCOPE_MISSING = "scope_missing"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LONG = "body_too_long"
    BODY_NOT_JSON = "body_not_json"
    TYPE_NOT_SUPPORTED = "type_not_supported"
    CONTRADICTION = "contradiction"
    NO_DENY_FILE = "no_deny_file"
    REQUEST_INVALID = "request_invalid"
    REQUEST_TIMEOUT = "request_timeout"
    HEAD_TOO_LONG = "head_too_long"
    CODING_NOT_SUPPORTED = "coding_not_supported"
    FULL = "full"
    TOO_MANY_STREAMS = "too_many_streams"
    TOO_MANY_STREAMS_OF_KEY = "too_many_streams_of_key"
    TOO_MANY_CONNECTIONS_OF_KEY = "too_many_connections_of_key"
    NODES_BUSY = "busy"
    TIMEOUT = "timeout"
    FAILED = "failed"


STATUS_OF: Final[Mapping[str, int]] = {
    ApiCode.KEY_MISSING: 401,
    ApiCode.KEY_INVALID: 401,
    ApiCode.SCOPE_MISSING: 403,
    ApiCode.NOT_FOUND: 404,
    ApiCode.METHOD_NOT_ALLOWED: 405,
    ApiCode.BODY_TOO_LONG: 413,
    ApiCode.BODY_NOT_JSON: 400,
    ApiCode.TYPE_NOT_SUPPORTED: 415,
    ApiCode.CONTRADICTION: 409,
    ApiCode.NO_DENY_FILE: 409,
    ApiCode.REQUEST_INVALID: 400,
    ApiCode.REQUEST_TIMEOUT: 408,
    ApiCode.HEAD_TOO_LONG: 431,
    ApiCode.CODING_NOT_SUPPORTED: 501,
    ApiCode.FULL: 503,
    ApiCode.TOO_MANY_STREAMS: 503,
    ApiCode.TOO_MANY_STREAMS_OF_KEY: 429,
    ApiCode.TOO_MANY_CONNECTIONS_OF_KEY: 429,
    ApiCode.NODES_BUSY: 503,
    ApiCode.TIMEOUT: 503,
    ApiCode.FAILED: 500,
    EventCode.UNKNOWN_EVENT: 404,
    EventCode.ADMINS_ONLY: 403,
    EventCode.CLAIMED: 409,
    EventCode.HASTA_INVALID: 404,
    EventCode.DESDE_INVALID: 404,
    EventCode.RATE_LIMITED: 429,
    EventCode.HISTORY_BUSY: 503,
    StoreCode.UNAVAILABLE: 503,
    StoreCode.FULL: 503,
    StoreCode.BUSY: 503,
    StoreCode.EXHAUSTED: 503,
}

UNACCEPTABLE: Final = 422
"""The request was parsed, and its content is invalid."""

_TITLE_OF: Final[Mapping[int, str]] = {
    400: "The request cannot be read",
    401: "A key is needed",
    403: "The key may not do this",
    404: "There is nothing here",
    405: "Another method is needed",
    408: "The request came too slowly",
    409: "The request contradicts itself or the settings",
    413: "The body is too long",
    415: "The body must be JSON",
    422: "The request cannot be accepted",
    429: "Too many requests",
    431: "The head is too long",
    500: "The daemon has a bug",
    501: "The transfer coding is not supported",
    503: "Try again later",
}

# Refusals before an operation is found.
_OF_HTTP: Final[Mapping[int, tuple[ApiCode, str]]] = {
    408: (ApiCode.REQUEST_TIMEOUT, "The rest of the request has not come in time."),
    431: (ApiCode.HEAD_TOO_LONG, "The request line and the headers are too long."),
    501: (ApiCode.CODING_NOT_SUPPORTED, "Of transfer codings only `chunked` is supported, once."),
    503: (ApiCode.FULL, "Too many connections are open, or too many bodies wait for their end: try again later."),
}

RETRY_AFTER_S: Final = 1


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A problem document. `code` is for programs, `detail` is a sentence for people."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    instance: str | None = None
    """The id of the request, as in the header X-Request-Id."""
    retry_after_ms: int | None = None
    atiende: str | None = None
    """The admin who has claimed the conversation."""


def problem_of(error: RefusedError, request_id: str | None = None) -> Problem:
    said = error.details.get("status")
    status = said if isinstance(said, int) else STATUS_OF.get(error.code, UNACCEPTABLE)
    claimed_by = error.details.get("atiende")
    wait_ms = error.details.get("retry_after_ms")
    return Problem(
        title=_TITLE_OF[status],
        status=status,
        code=str(error.code),
        detail=error.message,
        instance=None if request_id is None else f"urn:chatd:request:{request_id}",
        retry_after_ms=wait_ms if isinstance(wait_ms, int) else None,
        atiende=claimed_by if isinstance(claimed_by, str) else None,
    )


def headers_of(problem: Problem) -> list[tuple[bytes, bytes]]:
    """The headers of the answer beside the document."""
    headers = [(b"Content-Type", CONTENT_TYPE)]
    if problem.status == 401:
        headers.append((b"WWW-Authenticate", b'Bearer realm="chatd"'))
    if problem.status in {429, 503}:
        wait_s = RETRY_AFTER_S if problem.retry_after_ms is None else math.ceil(problem.retry_after_ms / 1_000)
        headers.append((b"Retry-After", b"%d" % max(wait_s, 1)))
    return headers


def refusal_of_http(status: int) -> RefusedError:
    """The problem for a connection or a request that the HTTP layer refuses."""
    code, words = _OF_HTTP.get(status, (ApiCode.REQUEST_INVALID, "This is no request of HTTP/1.1."))
    return RefusedError(code, words, status=status)
