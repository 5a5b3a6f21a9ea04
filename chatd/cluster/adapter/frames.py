"""Decodes broadcasts and requests, and checks their types. Rules N-31 and N-34.

    broadcast   msgpack [uid, {type, data, nsp}, {rooms, except, flags}]
    request     JSON, or msgpack where it carries a packet: {uid, requestId, type, ...}

The arguments of an event stay undecoded (msgpack): most events are for no socket here, and are never read.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec

from chatd.cluster.adapter.faults import Fault, ForeignError

MAIN_NAMESPACE: Final = "/"

# EVENT and BINARY_EVENT of socket.io-parser. The current adapter sends EVENT for both.
_EVENTS: Final = frozenset({2, 5})

Room = str | int | float
"""In JavaScript any value can be a room."""

Name = Annotated[str, msgspec.Meta(max_length=256)]


class RequestType(enum.IntEnum):
    """RequestType of the adapter. The last two are types of answers."""

    SOCKETS, ALL_ROOMS, REMOTE_JOIN, REMOTE_LEAVE, REMOTE_DISCONNECT = range(5)
    REMOTE_FETCH, SERVER_SIDE_EMIT, BROADCAST, BROADCAST_CLIENT_COUNT, BROADCAST_ACK = range(5, 10)


class Packet(msgspec.Struct, frozen=True):
    """An event: its name and arguments are `data`."""

    type: int
    data: msgspec.Raw
    nsp: str = MAIN_NAMESPACE


class Flags(msgspec.Struct, frozen=True):
    """The flags that chatd uses. `timeout` is in milliseconds."""

    volatile: bool | None = None
    timeout: float | None = None


class Options(msgspec.Struct, frozen=True, rename={"exclude": "except"}):
    """The audience: all sockets if `rooms` is empty, without those in a room of `exclude` (`except` on the wire)."""

    rooms: tuple[Room, ...]
    exclude: tuple[Room, ...] | None = None
    flags: Flags | None = None

    @property
    def is_volatile(self) -> bool:
        return self.flags is not None and bool(self.flags.volatile)


class Broadcast(msgspec.Struct, frozen=True, array_like=True):
    """An event of another process; `uid` is its adapter's."""

    uid: Name
    packet: Packet
    options: Options


class Request(msgspec.Struct, frozen=True, rename="camel"):
    """A request of another process. The old form of a request has `sid` instead of `opts`."""

    type: int
    uid: Name | None = None
    request_id: Name | None = None
    opts: Options | None = None
    rooms: tuple[Room, ...] | None = None
    sid: Name | None = None
    close: bool | None = None
    packet: Packet | None = None


T = TypeVar("T")

_broadcast: Final = msgspec.msgpack.Decoder(Broadcast).decode
_json_request: Final = msgspec.json.Decoder(Request).decode
_msgpack_request: Final = msgspec.msgpack.Decoder(Request).decode
_arguments: Final = msgspec.msgpack.Decoder(list[Any]).decode


def decode_broadcast(data: bytes) -> Broadcast | None:
    """The broadcast in `data`; None for another namespace. Raises only ForeignError."""
    broadcast = _read(_broadcast, data)
    return broadcast if _is_event(broadcast.packet) else None


def decode_request(data: bytes) -> Request | None:
    """The request in `data`; None if it has a packet of another namespace. Raises only ForeignError."""
    if data.startswith(b"{"):
        request = _read(_json_request, data)
        if request.packet is not None:
            raise ForeignError(Fault.UNREADABLE, "a packet in JSON")
        return request
    request = _read(_msgpack_request, data)
    return request if request.packet is None or _is_event(request.packet) else None


def arguments(packet: Packet) -> list[Any]:
    """The event's name and its arguments. Raises only ForeignError."""
    return _read(_arguments, packet.data)


def _is_event(packet: Packet) -> bool:
    """Whether the packet is of the main namespace. Raises ForeignError if it is not an event."""
    if packet.nsp != MAIN_NAMESPACE:
        return False
    if packet.type not in _EVENTS:
        raise ForeignError(Fault.EVENT, f"a packet of type {packet.type}")
    return True


def _read(decode: Callable[[bytes | msgspec.Raw], T], data: bytes | msgspec.Raw) -> T:
    try:
        return decode(data)
    except RecursionError as error:
        raise ForeignError(Fault.MAX_DEPTH, "it nests too deeply") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise ForeignError(Fault.UNREADABLE, f"{type(error).__name__}") from error
