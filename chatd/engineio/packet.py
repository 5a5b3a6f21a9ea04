"""Engine.IO v4 packets and their two forms, text and binary. Pure: no socket, no clock, no asyncio.

session.py has the order in which packets may come, payload.py several packets in one HTTP body, outgoing.py the
encoding for sending. Rules E-01 to E-04 of protocol.md.
"""

from __future__ import annotations

import base64
import binascii
import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from chatd.base.errors import WireError


class PacketType(enum.IntEnum):
    """https://github.com/socketio/engine.io-protocol#protocol"""

    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6


class Packet(msgspec.Struct, frozen=True, gc=False):
    """One packet. `data` is bytes only in a MESSAGE that was sent as binary."""

    type: PacketType
    data: str | bytes = ""


class EnginePacketError(WireError):
    """A frame is no Engine.IO packet."""


TYPE_OF: Final[Mapping[str, PacketType]] = {str(int(kind)): kind for kind in PacketType}

# Maps the URL alphabet to the standard one and removes white space; MIME encoders add a line break after 76 characters.
_STANDARD_ALPHABET: Final = str.maketrans("-_", "+/", " \t\r\n")


def decode(frame: str | bytes) -> Packet:
    """The packet in one WebSocket message, or in one part of a polling payload.

    Raises EnginePacketError. Rules E-01 (text), E-02 (binary as base64), E-03 (binary).
    """
    if isinstance(frame, bytes):
        return Packet(PacketType.MESSAGE, frame)
    kind = TYPE_OF.get(frame[:1])
    if kind is not None:
        return Packet(kind, frame[1:])
    if frame[:1] == "b":
        return Packet(PacketType.MESSAGE, _decode_base64(frame[1:]))
    raise EnginePacketError(f"a packet starts with a digit from 0 to 6 or with b, not with {frame[:1]!r}")


def encode(packet: Packet) -> bytes:
    """The packet as the bytes of a WebSocket message; binary data is not changed. The inverse of `decode`."""
    if isinstance(packet.data, bytes):
        return packet.data
    return f"{int(packet.type)}{packet.data}".encode()


def encode_base64(data: bytes) -> bytes:
    """A binary message as text, for transports that carry text only. Rule E-02."""
    return b"b" + base64.b64encode(data)


def _decode_base64(text: str) -> bytes:
    """Accepts both alphabets, missing padding and white space, because clients differ. Raises EnginePacketError."""
    standard = text.translate(_STANDARD_ALPHABET).rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise EnginePacketError("a binary packet is not base64") from error
