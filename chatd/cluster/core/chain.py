"""The chain: a message is applied only after the one before it. Pure."""

from __future__ import annotations

from typing import TypeVar

from chatd.cluster.core.frame import News
from chatd.cluster.core.vector import Identified

T = TypeVar("T", bound=Identified)


def link(applied: int, news: News[T]) -> list[T] | None:
    """The messages of a frame to apply, for a node that has applied everything up to `applied`; None if there is a gap.

    A repeated frame, or one whose messages were read from the database, adds nothing. `applied` may lie between two
    messages. There is no message between `prev` and the first one, so it is enough that `prev` is not above `applied`.
    """
    if news.prev > applied:
        return None
    return [item for item in news.items if item.id > applied]
