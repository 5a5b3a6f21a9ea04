"""Several packets in one body of HTTP long-polling. Pure. Rules E-05 and E-06 of protocol.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from chatd.engineio.packet import EnginePacketError, Packet, decode

# https://github.com/socketio/engine.io-protocol#http-long-polling-1
RECORD_SEPARATOR: Final = "\x1e"

# python-engineio's client refuses an answer that holds more.
MAX_PACKETS_PER_POLL: Final = 16


class TooManyPacketsError(EnginePacketError):
    """A payload holds more packets than it may."""


def decode_payload(body: bytes, *, max_packets: int) -> Iterator[Packet]:
    """Decode the packets of a POST body one by one; packets before a broken one are still delivered.

    Raises EnginePacketError at once if the body is not UTF-8 or holds more than `max_packets`, and from the iterator
    when it reaches a part that is no packet (an empty body is one empty part).
    """
    try:
        parts = body.decode().split(RECORD_SEPARATOR, max_packets)
    except UnicodeDecodeError as error:
        raise EnginePacketError("a payload is not UTF-8") from error
    if len(parts) > max_packets:
        raise TooManyPacketsError(f"a payload holds more than {max_packets} packets")
    return map(decode, parts)


def encode_payload(packets: Iterable[bytes]) -> bytes:
    """The body of the answer to a poll, from packets in text form."""
    return RECORD_SEPARATOR.encode().join(packets)
