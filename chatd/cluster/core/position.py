"""The text form of a vector, which clients store and send. Pure.

    position = "v" base64url(moment *entry), without padding
    moment   = varint: the latest moment of all entries; an entry's moment is its id without the origin's bits
    entry    = varint: origin, as the distance from the origin before it (from -1 for the first), less 1
               varint: the latest moment minus the entry's

A varint has seven bits in each byte, the low ones first, and the high bit set in every byte but the last. Entries are
ordered by origin. Beats keep the entries of living nodes close together, so an entry mostly takes 4 bytes. Length if a
frame of each node came in the last half second: 13 characters for 1 node, 24 for 3, 93 for 16. A number that no node
has used for a year takes up to 8 more. MAX_CHARS is the greatest length.

A vector has exactly one text, and `decode` accepts no other. The text starts with a letter, so it is different from a
plain id (rule C-18 of protocol.md). A plain id is not an exact position with several nodes, because a message with a
smaller id may be committed after the client saw it. So the answer to a plain id starts earlier, by the longest time of
a commit, and the client drops messages that it already has by their ids.

socket.io-client takes any string at the end of an event for its offset, and keeps only the last one. So each event that
advances the position carries the whole vector, and no other event ends with a string.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Final

from chatd.cluster.core.vector import (
    MAX_ORIGIN,
    MAX_ORIGINS,
    MAX_SEQUENCE,
    MS_SHIFT,
    SEQUENCE_BITS,
    Vector,
)

_MOMENT_BYTES: Final = 8  # 53 bits, seven in a byte
_ORIGIN_BYTES: Final = 2
MAX_CHARS: Final = 1 + (4 * (_MOMENT_BYTES + MAX_ORIGINS * (_ORIGIN_BYTES + _MOMENT_BYTES)) + 2) // 3
_MAX_MOMENT: Final = 2**53 - 1
_TEXT: Final = re.compile(r"v([A-Za-z0-9_-]+)")


class PositionError(ValueError):
    """The text is not a position."""


def encode(vector: Mapping[int, int]) -> str:
    """The text of a vector that has from 1 to MAX_ORIGINS entries."""
    moments = [(origin, upto >> MS_SHIFT << SEQUENCE_BITS | upto & MAX_SEQUENCE) for origin, upto in vector.items()]
    moments.sort()
    latest = max([moment for _, moment in moments])
    out = bytearray()
    _put(out, latest)
    before = -1
    for origin, moment in moments:
        _put(out, origin - before - 1)
        _put(out, latest - moment)
        before = origin
    return "v" + base64.urlsafe_b64encode(out).rstrip(b"=").decode()


def decode(text: object) -> Vector:
    """The vector in a text from a client. Raises only PositionError. Reads at most MAX_CHARS."""
    if not isinstance(text, str) or len(text) > MAX_CHARS:
        raise PositionError("a position is a short text")
    match = _TEXT.fullmatch(text)
    if match is None:
        raise PositionError("a position is a v and base64url")
    body = match[1]
    try:
        vector = _vector(_numbers(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))
    except (binascii.Error, StopIteration) as error:
        raise PositionError("a position is cut off") from error
    if encode(vector) != text:
        raise PositionError("a position is written in one way only")
    return vector


def _put(out: bytearray, number: int) -> None:
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _numbers(data: bytes) -> Iterator[int]:
    """The varints in `data`. An incomplete one is skipped: `decode` detects that the text is not canonical."""
    number = shift = 0
    for byte in data:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield number
            number = shift = 0
        elif shift >= 7 * _MOMENT_BYTES:
            raise PositionError("a number is too long")


def _vector(numbers: Iterator[int]) -> Vector:
    vector: Vector = {}
    latest = next(numbers)
    origin = -1
    for distance in numbers:
        origin += distance + 1
        moment = latest - next(numbers)
        if origin > MAX_ORIGIN or not 0 <= moment <= _MAX_MOMENT or len(vector) >= MAX_ORIGINS:
            raise PositionError("a position has an entry out of range")
        vector[origin] = moment >> SEQUENCE_BITS << MS_SHIFT | origin << SEQUENCE_BITS | moment & MAX_SEQUENCE
    if not vector:
        raise PositionError("a position has no entry")
    return vector
