"""The declaration file for front ends, from the events of protocol.md. `python -m tests.types.typescript` writes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tests.types.events import PAGE, Event, Protocol, read
from tests.types.shapes import Field, Shape, parse

FILE: Final = PAGE.parent / "chatd" / "web" / "chatd.d.ts"

HEAD: Final = """\
// The events of chatd for socket.io-client, made from protocol.md by `make reference`.
//
//   import { io, type Socket } from "socket.io-client";
//   import type { ClientToServerEvents, ServerToClientEvents } from "./chatd";
//   const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url);

/** Why something was refused. A newer server may have further codes. */
export type ErrorCode =
CODES;

export interface Refusal {
  ok: false;
  error: { code: ErrorCode; message: string; retry_after_ms?: number };
}

/** How an event is acknowledged: as it says, or not at all. */
export type Answer<T = object> = ({ ok: true } & T) | Refusal;

"""


def declaration(protocol: Protocol) -> str:
    """The content of the file. Raises KeyError for a field without a type in protocol.md."""
    codes = "\n".join([*(f'  | "{code}"' for code in protocol.codes), "  | (string & {})"])
    sent = _interface("ClientToServerEvents", _client_events(protocol))
    heard = _interface("ServerToClientEvents", _server_events(protocol))
    return HEAD.replace("CODES", codes) + sent + "\n" + heard


def _interface(name: str, members: Iterator[str]) -> str:
    lines = "".join(f"  {member};\n" for member in members)
    return f"export interface {name} {{\n{lines}}}\n"


def _client_events(protocol: Protocol) -> Iterator[str]:
    for event in protocol.events:
        if event.of_client:
            answer = _answer(event, protocol)
            payload = _payload(event, protocol)
            yield f"{event.name}: ({', '.join([*payload, answer])}) => void"


def _server_events(protocol: Protocol) -> Iterator[str]:
    """With recovery, events that advance a client have its position as last argument."""
    named: dict[str, list[Event]] = {}
    for event in protocol.events:
        if not event.of_client:
            named.setdefault(event.name, []).append(event)
    for name, events in named.items():
        payloads = [payload for event in events for payload in event.payloads]
        shown = _variants(name, payloads, protocol)
        yield f"{name}: (payload: {shown}, position?: string) => void"


def _payload(event: Event, protocol: Protocol) -> list[str]:
    if not event.payloads:
        return []
    shown = _variants(event.name, event.payloads, protocol)
    return [f"payload: {shown}{' | undefined' if event.payload_optional else ''}"]


def _answer(event: Event, protocol: Protocol) -> str:
    fields = event.answer.fields if event.answer is not None else {}
    inner = f"<{_object(event.name, event.answer, protocol)}>" if fields and event.answer is not None else ""
    return f"answer{'?' if event.answer_optional else ''}: (answer: Answer{inner}) => void"


def _variants(name: str, shapes: Sequence[Shape], protocol: Protocol) -> str:
    """One interface with optional fields if the shapes extend each other, else a union."""
    if len(shapes) == 2 and shapes[0].names < shapes[1].names:
        fewer, more = shapes
        fields = {key: field if key in fewer.names else Field(optional=True) for key, field in more.fields.items()}
        return _object(name, Shape(fields), protocol)
    return " | ".join(_object(name, shape, protocol) for shape in shapes)


def _object(name: str, shape: Shape, protocol: Protocol) -> str:
    members = [
        f"{key}{'?' if field.optional else ''}: {_type(name, key, field, protocol)}"
        for key, field in shape.fields.items()
    ]
    return f"{{ {'; '.join(members)} }}"


def _type(name: str, key: str, field: Field, protocol: Protocol) -> str:
    if field.inner is not None:
        return _object(key, field.inner, protocol) + ("[]" if field.is_list else "")
    if field.values:
        return "Record<string, number>"
    if field.literal is not None:
        return field.literal
    written = protocol.types.get(f"{name}.{key}") or protocol.types[key]
    if not written.startswith("{"):
        return written
    return _object(key, parse(written), protocol) + ("[]" if written.endswith("[]") else "")


if __name__ == "__main__":
    FILE.write_text(declaration(read(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")
