"""Short notation for messages and frames: the origin is 1 by default, and ids count from the epoch."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chatd.cluster.core.frame import News
from chatd.cluster.core.replay import Delivery
from chatd.cluster.core.vector import MS_SHIFT, SEQUENCE_BITS


class Said(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    id: int
    to: str = "ana"


def at(ms: int, origin: int = 1, sequence: int = 0) -> int:
    """The id of a time, an origin and a sequence number."""
    return ms << MS_SHIFT | origin << SEQUENCE_BITS | sequence


def said(*ms: int, origin: int = 1) -> list[Said]:
    return [Said(at(one, origin)) for one in ms]


def news(
    prev: int, *items: int, epoch: int = 0, settled: int | None = None, last: int | None = None, origin: int = 1
) -> News[Said]:
    """A frame of `origin`, with all numbers in ms; its messages are settled unless `settled` is given."""
    told = items[-1] if items else prev
    end = told if last is None else last
    upto = end if settled is None else settled
    messages = said(*items, origin=origin)
    return News(origin, at(epoch, origin), at(prev, origin), at(end, origin), at(upto, origin), messages)


def times(messages: Sequence[Said]) -> list[int]:
    """The times of messages, in ms."""
    return [one.id >> MS_SHIFT for one in messages]


def times_of(deliveries: Sequence[Delivery[Said]]) -> list[int]:
    return times([delivery.item for delivery in deliveries])
