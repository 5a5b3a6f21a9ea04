"""What nodes say to each other, as msgpack. Pure; the shapes are what msgspec makes of the structs.

    News   [1, origin, epoch, prev, last, settled, [message, ...]]
    Call   [2, origin]

All numbers but `origin` are ids. A frame is everything of one turn of the loop, so there is one PUBLISH a turn: waking
the receivers costs more than what is in it. A changed shape takes a new first number; a node that does not know it
refuses the frame, and heals what was in it from the database: nodes of two versions may run side by side.

The bus is the operator's, but a frame is checked as if it was not: a length before it is read, each number's range, and
that the ids are of the origin and in order. So a broken frame costs one frame, which the chain finds.
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
    """Bytes are no frame, or one that contradicts itself."""


class News(msgspec.Struct, Generic[T], array_like=True, tag=1, frozen=True, forbid_unknown_fields=True):
    """How far an origin has come, and what it has to tell; without messages, a beat.

    `epoch` is where its process began: each of its ids is larger, each of its predecessor's is not.
    `prev` is the last message before these, of this epoch; the epoch itself if there is none.
    `last`: later frames carry larger ids only. At least the last message's; a beat moves it to the present.
    `settled`: each message up to it is in the database or never will be.
    """

    origin: Origin
    epoch: Id
    prev: Id
    last: Id
    settled: Id
    items: Annotated[list[T], msgspec.Meta(max_length=MAX_ITEMS)]


class Call(msgspec.Struct, array_like=True, tag=2, frozen=True, forbid_unknown_fields=True):
    """Asks every origin for a beat at once: `origin` is new here, or was away."""

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
        """The frame in one message of the bus. Raises FrameError, and nothing else."""
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
    """What the types do not say."""
    ids = [news.prev, *(item.id for item in news.items)]
    if any(one >= two for one, two in pairwise(ids)):
        raise FrameError("the ids of a frame do not grow")
    if not news.epoch <= news.prev <= ids[-1] <= news.last:
        raise FrameError("the ids of a frame are not between its epoch and its last")
    if not news.epoch <= news.settled <= news.last:
        raise FrameError("a frame settles what is not of its epoch")
    if any(origin_of(one) != news.origin for one in (news.epoch, news.last, news.settled, *ids)):
        raise FrameError("an id in a frame is of another origin")
