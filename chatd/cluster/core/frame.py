"""Frames between nodes, in msgpack. Pure; msgspec encodes the structs as arrays.

    News   [1, origin, epoch, prev, last, settled, [message, ...]]
    Call   [2, origin]

All numbers except `origin` are ids. A frame has all messages of one turn of the event loop, so there is one PUBLISH per
turn: waking the receivers costs more than the content. A new format needs a new first number; a node that does not know
it refuses the frame and reads the messages from the database. So nodes of two versions can run at the same time.

The bus is trusted, but every frame is checked all the same: its length before decoding, the range of each number, the
origin and the order of ids. An invalid frame is dropped, and the chain detects the gap.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec

from chatd.cluster.core.vector import MAX_ID, MAX_ORIGIN, Identified, origin_of

MAX_ITEMS: Final = 4_096

T = TypeVar("T", bound=Identified)
Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]
Origin = Annotated[int, msgspec.Meta(ge=0, le=MAX_ORIGIN)]


class FrameError(ValueError):
    """The bytes are not a frame, or its fields contradict each other."""


class News(msgspec.Struct, Generic[T], array_like=True, tag=1, frozen=True, forbid_unknown_fields=True):
    """Messages of an origin, and its position; without messages, a beat.

    `epoch`: where the ids of its process begin: its ids are greater, those of earlier processes are not.
    `prev`: the id of the message before these in this epoch; the epoch if there is none.
    `last`: later frames have only greater ids. At least the id of the last message; a beat advances it to the present.
    `settled`: every message up to this id is in the database, or never will be.
    """

    origin: Origin
    epoch: Id
    prev: Id
    last: Id
    settled: Id
    items: Annotated[list[T], msgspec.Meta(max_length=MAX_ITEMS)]


class Call(msgspec.Struct, array_like=True, tag=2, frozen=True, forbid_unknown_fields=True):
    """Asks every node for a beat now, because `origin` has just connected to the bus."""

    origin: Origin


class Codec(Generic[T]):
    """Frames with messages of one type, a Struct with an `id`."""

    def __init__(self, message_type: type[T], max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._decoder: msgspec.msgpack.Decoder[News[T] | Call] = msgspec.msgpack.Decoder(_frames_of(message_type))
        self._encode = msgspec.msgpack.Encoder().encode

    def encode(self, frame: News[T] | Call) -> bytes:
        return self._encode(frame)

    def decode(self, data: bytes) -> News[T] | Call:
        """The frame in one message of the bus. Raises only FrameError."""
        if len(data) > self._max_bytes:
            raise FrameError(f"a frame of {len(data)} bytes; {self._max_bytes} may be")
        try:
            frame = self._decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise FrameError(f"no frame: {error}") from error
        if isinstance(frame, News):
            _check(frame)
        return frame


def _frames_of(message_type: type[Any]) -> Any:
    news: Any = News  # a generic Struct is made at run time
    return news[message_type] | Call


def _check(news: News[Any]) -> None:
    """Check what the types do not: the order and the origin of ids."""
    ids = [news.prev, *(item.id for item in news.items)]
    if any(one >= two for one, two in pairwise(ids)):
        raise FrameError("the ids of a frame do not grow")
    if not news.epoch <= news.prev <= ids[-1] <= news.last:
        raise FrameError("the ids of a frame are not between its epoch and its last")
    if not news.epoch <= news.settled <= news.last:
        raise FrameError("a frame settles what is not of its epoch")
    if any(origin_of(one) != news.origin for one in (news.epoch, news.last, news.settled, *ids)):
        raise FrameError("an id in a frame is of another origin")
