"""Messages and frames that are short to write: origin 1 unless another is named, ids counted from the epoch."""

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
    """An id."""
    return ms << MS_SHIFT | origin << SEQUENCE_BITS | sequence


def said(*ms: int, origin: int = 1) -> list[Said]:
    return [Said(at(one, origin)) for one in ms]


def news(
    prev: int, *items: int, epoch: int = 0, settled: int | None = None, last: int | None = None, origin: int = 1
) -> News[Said]:
    """A frame of `origin`, all numbers in ms; what it tells is settled unless another number is given."""
    told = items[-1] if items else prev
    end = told if last is None else last
    upto = end if settled is None else settled
    messages = said(*items, origin=origin)
    return News(origin, at(epoch, origin), at(prev, origin), at(end, origin), at(upto, origin), messages)


def times(messages: Sequence[Said]) -> list[int]:
    """When they were said, in ms."""
    return [one.id >> MS_SHIFT for one in messages]


def times_of(deliveries: Sequence[Delivery[Said]]) -> list[int]:
    return times([delivery.item for delivery in deliveries])
