"""Serves requests: from the head of one to the operation that answers it. Rules A-01, A-05, A-06, A-09, A-19."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import msgspec

from chatd.api import log
from chatd.api.call import Call, new_request_id
from chatd.api.config import ApiConfig
from chatd.api.door import ApiDoor, ApiLimit
from chatd.api.keys import Key
from chatd.api.operation import Operation, Parts
from chatd.api.operations import CID_HEADER, OPERATIONS, Routes, allowed
from chatd.api.problem import UNACCEPTABLE, ApiCode
from chatd.api.words import NUMBERS, NewMessage
from chatd.base.errors import RefusedError
from chatd.base.timers import Timers
from chatd.chat.events import EventCode, parse_user
from chatd.engineio.exchange import Exchange
from chatd.engineio.request import Request

JSON: Final = "application/json"

_REQUEST_ID: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_CID: Final = re.compile(r"[!-~]{1,64}")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_FIELD: Final = re.compile(r"`\$(?:\[\.\.\.\])?\.(?P<name>\w+)")
_CODES: Final = frozenset(EventCode)

T = TypeVar("T")


class ApiServer:
    """Answers each Exchange that it is given."""

    def __init__(
        self,
        config: ApiConfig,
        door: ApiDoor,
        timers: Timers,
        parts: Parts,
        operations: tuple[Operation, ...] = OPERATIONS,
    ) -> None:
        self._config = config
        self._door = door
        self._timers = timers
        self._parts = parts
        self._routes = Routes(operations)

    def on_request(self, exchange: Exchange) -> None:
        call = Call(exchange, self._timers, _request_id(exchange.request), self._config.answer_level)
        self._guarded(call, lambda: self._route(call, exchange))

    def _guarded(self, call: Call, work: Callable[[], None]) -> None:
        """Run `work`. A refusal becomes an answer; a bug becomes a 500 and affects no other request."""
        try:
            work()
        except RefusedError as error:
            call.refuse(error)
        except Exception:  # noqa: BLE001 - the client is told, and the next request is served
            log.exception("a request of the API failed", extra={"request_id": call.request_id})
            call.refuse(RefusedError(ApiCode.FAILED, "This is a bug of the daemon; its log has the cause."))

    def _route(self, call: Call, exchange: Exchange) -> None:
        request = exchange.request
        found = self._routes.find(_segments(request.path))
        if found is None:
            self._door.admit(request, None)
            raise RefusedError(ApiCode.NOT_FOUND, "There is no such path: see /v1/openapi.json.")
        methods, call.params = found
        if request.method == "OPTIONS":
            self._door.admit(request, None)
            call.empty([(b"Allow", allowed(methods))])
            return
        operation = methods.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            self._door.admit(request, None)
            words = f"This path takes {allowed(methods).decode()}."
            call.refuse(RefusedError(ApiCode.METHOD_NOT_ALLOWED, words), [(b"Allow", allowed(methods))])
            return
        call.operation = operation.path
        call.key = self._door.admit(request, operation.scope)
        if call.key is not None and not self._may_stay(call, call.key, exchange):
            return
        _check_names(call.params)
        call.query = _convert(_query_of(request), operation.query)
        if operation.body is None:
            self._run(operation, call)
        else:
            self._receive(operation, call, exchange)

    def _may_stay(self, call: Call, key: Key, exchange: Exchange) -> bool:
        """Whether the key may have this connection; if not, refuse and close the connection after the answer."""
        try:
            self._door.take_connection(key, exchange.transport)
        except RefusedError as error:
            call.refuse(error, [(b"Connection", b"close")])
            return False
        return True

    def _receive(self, operation: Operation, call: Call, exchange: Exchange) -> None:
        kind = (exchange.request.header(b"content-type") or "").partition(";")[0].strip().lower()
        if kind != JSON:
            raise RefusedError(ApiCode.TYPE_NOT_SUPPORTED, f"Send the header `Content-Type: {JSON}`.")

        def on_body(body: bytes) -> None:
            self._guarded(call, lambda: self._take(operation, call, exchange.request, body))

        def on_too_long() -> None:
            limit = self._config.api_max_body_bytes
            self._door.refusals.add(ApiLimit.API_MAX_BODY, "request refused: its body is too long", key=_name(call))
            call.refuse(RefusedError(ApiCode.BODY_TOO_LONG, f"The body is longer than {limit} bytes."))

        exchange.receive(self._config.api_max_body_bytes, on_body, on_too_long)

    def _take(self, operation: Operation, call: Call, request: Request, body: bytes) -> None:
        try:
            said = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedError(ApiCode.BODY_NOT_JSON, f"The body is no JSON: {error}.") from error
        if operation.body is NewMessage and isinstance(said, dict):
            _take_cid(said, request.header(CID_HEADER))
        call.body = _convert(said, operation.body)
        self._run(operation, call)

    def _run(self, operation: Operation, call: Call) -> None:
        if operation.waits:
            call.wait(self._config.api_timeout_s, lambda: self._refuse_late(call))
        operation.run(self._parts, call)

    def _refuse_late(self, call: Call) -> None:
        self._door.refusals.add(ApiLimit.API_TIMEOUT, "request refused: the database is late", key=_name(call))
        words = "The database has not answered in time: repeat the request, a message with the same Idempotency-Key."
        call.refuse(RefusedError(ApiCode.TIMEOUT, words))


def _segments(path: str) -> list[str]:
    """The decoded segments of a path; one that is no UTF-8 becomes empty, which no name is."""
    segments = []
    for part in path.split("/"):
        try:
            segments.append(unquote(part.encode("latin-1").decode(), errors="strict"))
        except UnicodeDecodeError:
            segments.append("")
    return segments


def _take_cid(said: dict[str, object], cid: str | None) -> None:
    """Rule A-09. Raises RefusedError."""
    if cid is None:
        return
    if not _CID.fullmatch(cid):
        raise RefusedError(EventCode.CID_INVALID, "Idempotency-Key must be 1 to 64 visible characters of ASCII.")
    if said.get("cid") is None:
        said["cid"] = cid
    elif said["cid"] != cid:
        raise RefusedError(ApiCode.CONTRADICTION, "cid and Idempotency-Key differ: send one of them.")


def _check_names(params: Mapping[str, str]) -> None:
    """Raises RefusedError."""
    for name, value in params.items():
        parse_user(value, name, EventCode.CON_INVALID if name == "con" else EventCode.ARGUMENTS_INVALID)


def _query_of(request: Request) -> dict[str, object]:
    """The parameters, with numbers parsed. Raises RefusedError for a repeated name."""
    if len([field for field in request.query_string.split("&") if field]) != len(request.query):
        raise RefusedError(EventCode.ARGUMENTS_INVALID, "A name is in the query twice.")
    return {
        name: int(value) if name in NUMBERS and _NUMBER.fullmatch(value) else value
        for name, value in request.query.items()
    }


def _convert(said: object, kind: Any) -> Any:
    """Raises RefusedError, with the chat's code for the invalid field if there is one."""
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        field = _FIELD.search(str(error))
        code = f"{field['name']}_invalid" if field is not None else ""
        code = code if code in _CODES else EventCode.ARGUMENTS_INVALID
        raise RefusedError(code, f"{error}.", status=UNACCEPTABLE) from error


def _request_id(request: Request) -> str:
    """The request id of the client, so that both logs have it."""
    said = request.header(b"x-request-id") or ""
    return said if _REQUEST_ID.fullmatch(said) else new_request_id()


def _name(call: Call) -> str | None:
    return None if call.key is None else call.key.name
