"""The decoders of untrusted input, each wrapped in a function of bytes that raises only if there is a bug.

A decoder may raise its own errors only. For accepted inputs each function checks an invariant, such as a round trip.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from chatd.auth.config import AuthConfig
from chatd.auth.errors import AuthError
from chatd.auth.find import find_tokens
from chatd.auth.keys import load_keys
from chatd.auth.verify import Verifier
from chatd.base.errors import RefusedError, WireError
from chatd.chat.events import PrivateMessage
from chatd.chat.nodes import frames as node_frames
from chatd.cluster.adapter import frames
from chatd.cluster.adapter.faults import ForeignError
from chatd.cluster.adapter.values import Bounds, Cleaner
from chatd.cluster.core.frame import Codec, FrameError
from chatd.cluster.core.position import PositionError
from chatd.cluster.core.position import decode as decode_position
from chatd.cluster.core.position import encode as encode_position
from chatd.engineio.origin import OriginPolicy
from chatd.engineio.packet import PacketType, decode, encode
from chatd.engineio.payload import decode_payload
from chatd.engineio.proxies import Proxies
from chatd.engineio.reader import Message, MessageReader, WebSocketError
from chatd.engineio.request import KnownSession, by_name, parse_request, refusal, version_fault
from chatd.socketio import packet as socketio
from chatd.socketio.jsontext import MAX_CONTAINERS, format_json, parse_json
from chatd.store.base import Message as StoredMessage
from tests.chat.people import SECRET, token
from tests.fuzz.answer_target import webhook_answer
from tests.fuzz.api_target import attack_api
from tests.fuzz.http_target import attack_server
from tests.fuzz.page_target import attack_stop_page

MAX_PACKETS: Final = 8
MAX_BYTES: Final = 2_000
MAX_DEPTH: Final = 16
MAX_CHARS: Final = 50

Target = Callable[[bytes], None]


def engine_packet(data: bytes) -> None:
    """Accepted text encodes back to the same text, except base64."""
    assert decode(data).data == data
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(WireError):
        packet = decode(text)
        if isinstance(packet.data, str):
            assert encode(packet) == text.encode()
        else:
            assert packet.type is PacketType.MESSAGE


def payload(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert len(list(decode_payload(data, max_packets=MAX_PACKETS))) <= MAX_PACKETS


def reader(data: bytes) -> None:
    """Messages and fault are the same whether the input is fed whole or byte by byte."""
    whole, by_byte = _read([data]), _read([data[at : at + 1] for at in range(len(data))])
    assert whole == by_byte


def _read(pieces: list[bytes]) -> tuple[list[Message], int | None]:
    messages: list[Message] = []
    one = MessageReader(MAX_BYTES)
    try:
        for piece in pieces:
            for message in one.feed(piece):
                messages.append(message)  # noqa: PERF402 - keeps the messages before the fault
    except WebSocketError as error:
        return messages, int(error.code)
    return messages, None


def request(data: bytes) -> None:
    """The request target in the first line, one header in each further line."""
    target, *lines = data.split(b"\n")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    with contextlib.suppress(ValueError):
        parsed = parse_request(b"GET", target, by_name(headers), "10.0.0.1")
        for known in KnownSession:
            refusal(parsed, known)
        version_fault(parsed)
        proxies = Proxies(["10.0.0.0/8", "::1"])
        assert proxies.client_address(parsed)
        policy = OriginPolicy(("https://*.example", "http://a.example:8080"), True, proxies=proxies)
        policy.allows(parsed)
        policy.preflight_headers(parsed)


def socketio_packet(data: bytes) -> None:
    """Accepted packets survive a round trip."""
    with contextlib.suppress(WireError):
        packet = socketio.decode(data.decode("utf-8", "replace"), max_attachments=10, max_depth=MAX_DEPTH)
        if packet.attachments:
            incoming = socketio.IncomingBinary(packet)
            parts = [incoming.feed(bytes([number])) for number in range(packet.attachments)]
            assert parts[-1] is not None
        elif packet.data is None or _is_plain(packet.data):
            [again] = socketio.encode(packet.type, packet.namespace, packet.id, packet.data).packets
            text = again.text.decode().removeprefix("4")
            assert socketio.decode(text, max_attachments=10, max_depth=MAX_DEPTH) == packet


def json_text(data: bytes) -> None:
    """Decoded as by the standard library, and values survive a round trip."""
    with contextlib.suppress(UnicodeDecodeError):
        text = data.decode()
        try:
            value = parse_json(text, MAX_DEPTH)
        except ValueError:
            _must_be_illegal(text)
        else:
            assert value == json.loads(text)
            if _is_plain(value):
                assert parse_json(format_json(value).decode(), MAX_DEPTH) == value


def _must_be_illegal(text: str) -> None:
    """A refused text is no JSON for JavaScript either, or exceeds a limit."""
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return
    assert _depth(value) > MAX_DEPTH or len(text) > MAX_CONTAINERS, text


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(text)
    return value


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _depth(value: Any) -> int:
    return 1 + max(map(_depth, _children(value)), default=0) if isinstance(value, dict | list) else 0


def _is_finite(value: Any) -> bool:
    finite = not isinstance(value, float) or math.isfinite(value)
    return finite and all(map(_is_finite, _children(value)))


def _is_plain(value: Any) -> bool:
    """Whether its numbers fit into 64 bits, as the encoder needs."""
    fits = not isinstance(value, int) or -(2**63) <= value < 2**64
    return fits and _is_finite(value) and all(map(_is_plain, _children(value)))


_AUTH: Final = AuthConfig(jwt_secret=SECRET, bearer_token=True, auth_token=True)
_VERIFIER: Final = Verifier(_AUTH, load_keys(_AUTH), time.time)


def cookie(data: bytes) -> None:
    """A Cookie header; after the first line break an Authorization header."""
    header, _, authorization = data.decode("latin-1").partition("\n")
    with contextlib.suppress(AuthError):
        assert list(find_tokens(header, authorization, {"token": header}, _AUTH))


_GOOD_TOKEN: Final = token("ana")


def jwt(data: bytes) -> None:
    """No input makes a valid token without the secret. `GOOD` stands for the parts of a valid one."""
    head, body, signature = _GOOD_TOKEN.split(".")
    text = data.decode("latin-1").replace("HEAD", head).replace("BODY", body).replace("SIGN", signature)
    with contextlib.suppress(AuthError):
        _VERIFIER.verify(text)
        assert text == _GOOD_TOKEN


def private_message(data: bytes) -> None:
    """The arguments of a message, as JSON."""
    with contextlib.suppress(ValueError, RefusedError):
        args = parse_json(data.decode("utf-8", "replace"), MAX_DEPTH)
        if isinstance(args, list):
            message = PrivateMessage.parse(args, MAX_CHARS)
            assert message.para.encode()
            assert 0 < len(message.mensaje.encode()) <= 4 * MAX_CHARS


_BOUNDS: Final = Bounds(
    max_bytes=MAX_BYTES, max_depth=MAX_DEPTH, max_attachments=10, max_containers=MAX_CONTAINERS, max_values=1_000
)


def neighbour(data: bytes) -> None:
    """A message of a Node.js node: an accepted event can be encoded as a packet."""
    with contextlib.suppress(ForeignError):
        frames.decode_request(data)
    with contextlib.suppress(ForeignError):
        if (broadcast := frames.decode_broadcast(data)) is not None:
            cleaner = Cleaner(_BOUNDS)
            arguments = [cleaner.clean(argument) for argument in frames.arguments(broadcast.packet)]
            text, *_ = socketio.encode(socketio.PacketType.EVENT, "/", None, arguments).packets
            assert json.loads(text.text.decode().lstrip("0123456789-") or "[]", parse_constant=_finite) is not None


_CODEC: Final = Codec(StoredMessage, MAX_BYTES)
_PACK: Final = msgspec.msgpack.Encoder().encode


def bus_frame(data: bytes) -> None:
    """Messages between nodes: accepted ones survive a round trip."""
    with contextlib.suppress(FrameError):
        if node_frames.kind_of(data) is node_frames.Kind.OURS:
            packed = _PACK(node_frames.decode(data))
            assert _PACK(node_frames.decode(packed)) == packed
        else:
            frame = _CODEC.decode(data)
            assert _CODEC.decode(_CODEC.encode(frame)) == frame


def position(data: bytes) -> None:
    """A client's position: each vector has exactly one text."""
    with contextlib.suppress(PositionError):
        text = data.decode("utf-8", "replace")
        assert encode_position(decode_position(text)) == text


TARGETS: Final[Mapping[str, Target]] = {
    "engine_packet": engine_packet,
    "payload": payload,
    "reader": reader,
    "request": request,
    "http": attack_server,
    "api": attack_api,
    "stop_page": attack_stop_page,
    "webhook_answer": webhook_answer,
    "socketio_packet": socketio_packet,
    "json_text": json_text,
    "cookie": cookie,
    "jwt": jwt,
    "private_message": private_message,
    "bus_frame": bus_frame,
    "position": position,
    "neighbour": neighbour,
}
