"""Client data as bytes that are built once. Pure.

Frames have the masking key 0, which RFC 6455 allows: the payload is unchanged. A flood must cost its sender almost
nothing, or the benchmark measures the sender.
"""

from __future__ import annotations

import json
import struct
from typing import Final

CONTINUATION, TEXT, BINARY, PING = 0, 1, 2, 9
SEPARATOR: Final = "\x1e"
POLLING: Final = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET: Final = "/socket.io/?EIO=4&transport=websocket"
NOWHERE: Final = "/socket.io/?EIO=4&transport=none"  # answered 400
HANDSHAKE: Final = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def frame(payload: bytes, opcode: int = TEXT, *, fin: bool = True) -> bytes:
    """A WebSocket frame as a client sends it."""
    first, size = (0x80 if fin else 0) | opcode, len(payload)
    if size < 126:
        return struct.pack("!BBI", first, 0x80 | size, 0) + payload
    if size < 1 << 16:
        return struct.pack("!BBHI", first, 0x80 | 126, size, 0) + payload
    return struct.pack("!BBQI", first, 0x80 | 127, size, 0) + payload


def text(packet: str) -> bytes:
    return frame(packet.encode())


def fragments(payload: bytes) -> bytes:
    """A text message with one frame for each byte."""
    last = len(payload) - 1
    parts = (frame(payload[i : i + 1], CONTINUATION if i else TEXT, fin=i == last) for i in range(len(payload)))
    return b"".join(parts)


def compact(value: object) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def event(name: str, *arguments: object, ack: int | str = "") -> bytes:
    return text(f"42{ack}{compact([name, *arguments])}")


def get(target: str, token: str = "", headers: str = "") -> bytes:
    cookie = f"Cookie: token={token}\r\n" if token else ""
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}{headers}\r\n".encode()


def post(sid: str, body: bytes) -> bytes:
    return _post(sid, f"Content-Length: {len(body)}") + body


def chunked_post(sid: str, body: bytes) -> bytes:
    """The same POST with one chunk for each byte."""
    return _post(sid, "Transfer-Encoding: chunked") + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"


def _post(sid: str, header: str) -> bytes:
    return f"POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n\r\n".encode()
