"""The chain: a message is applied only behind the one before it. Pure."""

from __future__ import annotations

from typing import TypeVar

from chatd.cluster.core.frame import News
from chatd.cluster.core.vector import Identified

T = TypeVar("T", bound=Identified)


def link(applied: int, news: News[T]) -> list[T] | None:
    """What of a frame is to be applied by a node that has applied everything up to `applied`; None if there is a gap.

    A frame that comes twice, or after a heal that had it, adds nothing. `applied` may lie between two messages: nothing
    exists between `prev` and the first one, so it is enough that `prev` is not beyond `applied`.
    """
    if news.prev > applied:
        return None
    return [item for item in news.items if item.id > applied]
