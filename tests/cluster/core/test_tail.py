from __future__ import annotations

from chatd.cluster.core.tail import Tail
from tests.cluster.core.said import Said, at, said, times


def test_unsettled_messages_are_kept_until_they_are_settled() -> None:
    tail: Tail[Said] = Tail()
    tail.keep(said(3, 4, 5), at(3))
    assert times(list(tail.items)) == [4, 5]
    tail.settle(at(4))
    assert times(list(tail.items)) == [5]
    tail.settle(at(9))
    assert not tail.items


def test_the_end_of_an_epoch_drops_unsettled_messages() -> None:
    tail: Tail[Said] = Tail()
    tail.keep(said(3, 4), at(0))
    tail.clear()
    assert not tail.items
