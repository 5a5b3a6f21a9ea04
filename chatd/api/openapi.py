"""The OpenAPI 3.1 document, made from the table of operations and the declarations of their input and output.

https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from chatd import __version__
from chatd.api.operation import Operation
from chatd.api.operations import OPERATIONS
from chatd.api.problem import Problem
from chatd.api.words import Cid, ConversationsQuery, HistoryQuery, NewClaim, NewMessage, NewResolution, Shortcut, User

_REF: Final = "#/components/schemas/{name}"
_NAME: Final = re.compile(r"{(\w+)}")

_CONTRADICTORY: Final = frozenset({ConversationsQuery, HistoryQuery})
"""Queries with mutually exclusive parameters."""

_KIND_OF: Final[dict[str, Any]] = {"atajo": Shortcut}
"""Of what stands in a path; the others are names, and a jti is as long as one."""

_CONFLICTING: Final = frozenset({NewMessage, NewClaim, NewResolution})
"""Bodies that the state of the chat may refuse."""

_RESPONSES: Final = {
    400: "Malformed", 401: "NoKey", 403: "Forbidden", 404: "NotFound", 405: "OtherMethod", 409: "Conflict",
    413: "TooLong", 415: "NotJson", 422: "Unacceptable", 429: "TooMany", 503: "TryLater",
}  # fmt: skip


def document(operations: Iterable[Operation] = OPERATIONS) -> dict[str, Any]:
    every = tuple(operations)
    schemas, components = _schemas(every)
    paths: dict[str, dict[str, Any]] = {}
    for one in every:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "chatd", "version": __version__, "description": "See protocol.md, chapter 8."},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "responses": {name: _problem(status) for status, name in _RESPONSES.items()},
        },
    }


def encoded() -> bytes:
    return msgspec.json.encode(document())


def _schemas(operations: tuple[Operation, ...]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """The schema of each type that an operation names, and the components that they refer to."""
    types = [Problem, Cid, User]
    types += [kind for one in operations for kind in (one.body, one.answer) if kind is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    return dict(zip(types, schemas, strict=True)), components


def _operation(one: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _operation_id(one),
        "summary": one.summary,
        "parameters": [*_path_parameters(one), *_query_parameters(one), *_header_parameters(one)],
        "responses": _responses(one, schemas),
        "security": [] if one.scope is None else [{"key": []}],
    }
    if one.scope is not None:
        described["description"] = f"Needs the scope `{one.scope}`."
    if one.body is not None:
        content = {"application/json": {"schema": schemas[one.body]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _operation_id(one: Operation) -> str:
    words = [word.strip("{}").removesuffix(".json") for word in one.path.split("/")[2:]]
    return "_".join([one.method.lower(), *words])


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(_KIND_OF.get(name, User))}
        for name in _NAME.findall(one.path)
    ]


def _query_parameters(one: Operation) -> list[dict[str, Any]]:
    parameters = []
    for field in msgspec.structs.fields(one.query):
        kind: Any = field.type
        [schema], _ = msgspec.json.schema_components([kind], ref_template=_REF)
        described = {"name": field.name, "in": "query", "required": field.required, "schema": _without_null(schema)}
        parameters.append(described)
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Queries have no null: a nullable parameter is an optional one."""
    given = [each for each in schema["anyOf"] if each != {"type": "null"}] if "anyOf" in schema else [schema]
    return dict(given[0])


def _header_parameters(one: Operation) -> list[dict[str, Any]]:
    if one.body is not NewMessage:
        return []
    schema = msgspec.json.schema(Cid) | {"pattern": "^[!-~]+$"}
    return [{"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema}]


def _responses(one: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": one.summary}
    if one.answer is None:
        good["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    else:
        good["content"] = {"application/json": {"schema": schemas[one.answer]}}
    responses = {str(one.status): good}
    if one.method == "GET":
        responses["304"] = {"description": "The client has it: see If-None-Match"}
    return responses | {str(status): {"$ref": f"#/components/responses/{_RESPONSES[status]}"} for status in _bad(one)}


def _bad(one: Operation) -> list[int]:
    """The statuses of its problems."""
    bad = {404, 405, 422, 429, 503}
    if one.scope is not None:
        bad |= {401, 403}
    if one.body is not None:
        bad |= {400, 413, 415}
    if one.path.startswith("/v1/denegados") or one.body in _CONFLICTING or one.query in _CONTRADICTORY:
        bad |= {409}
    return sorted(bad)


def _problem(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    headers = {}
    if status in {429, 503}:
        headers["Retry-After"] = {"schema": {"type": "integer"}}
    return {"description": f"A problem of status {status}", "content": content, "headers": headers}
