"""Encodes the events and answers that chatd sends to Node.js nodes. Rules N-32 and N-36.

A frame that a Node.js node cannot process may end its subscription permanently (npm packages redis 4 and 5). So each
frame is complete: the packet has type, data and nsp, the options have rooms, except and flags.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from chatd.cluster.adapter.frames import MAIN_NAMESPACE, RequestType

_EVENT: Final = 2

_pack: Final = msgspec.msgpack.Encoder().encode
_json: Final = msgspec.json.Encoder().encode


def event(uid: str, name: str, argument: msgspec.Struct, rooms: Sequence[str]) -> bytes:
    """A broadcast. The argument is an object, because clients take a string at the end of an event for an offset."""
    packet = {"type": _EVENT, "data": [name, argument], "nsp": MAIN_NAMESPACE}
    return _pack([uid, packet, {"rooms": rooms, "except": [], "flags": {}}])


def beginning(uid: str) -> bytes:
    """The first bytes of each broadcast of that `uid`."""
    return _pack([uid, None, None])[: 1 + len(_pack(uid))]


def sockets(request_id: str, found: Iterable[object]) -> bytes:
    """The answer to SOCKETS, with ids of sockets; and to REMOTE_FETCH, with descriptions of them."""
    return _json({"requestId": request_id, "sockets": list(found)})


def raw(found: object) -> msgspec.Raw:
    """A part of an answer, in JSON."""
    return msgspec.Raw(_json(found))


def rooms(request_id: str, names: Iterable[str]) -> bytes:
    """The answer to ALL_ROOMS."""
    return _json({"requestId": request_id, "rooms": list(names)})


def done(request_id: str) -> bytes:
    """The answer to a request in the old form."""
    return _json({"requestId": request_id})


def nothing(request_id: str) -> bytes:
    """The answer to SERVER_SIDE_EMIT: chatd runs no handlers of applications."""
    return _json({"type": RequestType.SERVER_SIDE_EMIT, "requestId": request_id, "data": None})


def client_count(request_id: str, count: int) -> bytes:
    """The first answer to BROADCAST: the number of acknowledgements that may follow."""
    kind = RequestType.BROADCAST_CLIENT_COUNT
    return _json({"type": kind, "requestId": request_id, "clientCount": count})


def acknowledgement(request_id: str, argument: Any) -> bytes:
    """The acknowledgement of one client. Values that cannot be encoded (huge numbers, lone surrogates) become null."""
    answer = {"type": int(RequestType.BROADCAST_ACK), "requestId": request_id}
    try:
        return _pack({**answer, "packet": argument})
    except (ValueError, OverflowError):
        return _pack({**answer, "packet": None})
