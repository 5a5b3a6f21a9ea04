"""The vector as a client carries it: a short text. Pure.

    position = "v" base64url(moment *entry), without padding
    moment   = varint: the latest moment of all entries; an entry's moment is its id without the origin's bits
    entry    = varint: origin, as the distance from the origin before it (from -1 for the first), less 1
               varint: the latest moment minus the entry's

A varint has seven bits in a byte, the low ones first, and the high bit set in every byte but its last. Entries are in
the order of their origins. Beats keep the entries of living nodes close together, so one takes 4 bytes mostly. Length
where each node was heard in the last half second: 13 characters for 1 node, 24 for 3, 93 for 16. A number that no node
has used for a year takes up to 8 more. Nothing is longer than MAX_CHARS.

A vector has one text, and `decode` takes no other. The text starts with a letter, so it is never taken for a plain id
(rule C-18 of protocol.md). A plain id cannot be an exact position among several nodes: a message with a smaller id may
have been committed after the client saw it. The answer has to start earlier, by the longest time that a commit takes,
and the client drops by id what it has already.

socket.io-client takes any text at the end of an event for its offset, and keeps the last one only. So each event that
counts carries the whole vector, and no other event ends in a text.
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
    """A text is no position."""


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
    """The vector in what a client sent. Raises PositionError, and nothing else. Reads MAX_CHARS at most."""
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
    """The varints in `data`. One that has no end is left out: `decode` finds that the text is not canonical."""
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
