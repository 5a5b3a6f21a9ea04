from __future__ import annotations

import pytest

from chatd.cluster.core.frame import MAX_ITEMS
from chatd.cluster.core.publisher import FRAME_BYTES, Publisher
from tests.cluster.core.said import Said, at, news, said


def publisher(*ms: int) -> Publisher[Said]:
    one: Publisher[Said] = Publisher(1, at(0))
    for item in said(*ms):
        one.say(item, 10)
    return one


def test_all_messages_of_a_turn_are_one_frame() -> None:
    one = publisher(4, 5)
    assert one.flush() == news(0, 4, 5, settled=0)
    assert one.flush() is None


def test_each_frame_names_the_message_before_it() -> None:
    one = publisher(4, 5)
    one.flush()
    one.say(said(7)[0], 10)
    assert one.flush() == news(5, 7, settled=0)


def test_stored_messages_are_settled_and_if_all_are_stored_up_to_the_last_id() -> None:
    one = publisher(4, 5)
    one.settle(at(4))
    assert one.flush() == news(0, 4, 5, settled=4)
    one.settle(at(5))
    assert one.beat(at(9)) == news(5, last=9, settled=9)


def test_a_beat_promises_that_no_smaller_id_follows() -> None:
    one = publisher()
    assert one.beat(at(9)) == news(0, last=9)
    assert one.beat(None) == news(0, last=9), "an earlier promise stays valid"
    with pytest.raises(AssertionError):
        one.say(said(8)[0], 10)
    one.say(said(10)[0], 10)
    assert one.flush() == news(0, 10, settled=9), "and is no part of the chain"


def test_a_beat_includes_waiting_messages() -> None:
    assert publisher(4, 5).beat(at(9)) == news(0, 4, 5, last=9, settled=0)


def test_a_frame_is_bounded_in_messages_and_in_bytes() -> None:
    many = publisher(*range(1, MAX_ITEMS + 2))
    first, second = many.flush(), many.flush()
    assert first is not None
    assert second is not None
    assert (len(first.items), len(second.items)) == (MAX_ITEMS, 1)
    assert second.prev == first.items[-1].id
    large: Publisher[Said] = Publisher(1, at(0))
    for item in said(1, 2, 3):
        large.say(item, FRAME_BYTES)
    assert large.beat(at(9)) == news(0, 1, settled=0), "no promise while messages wait"
    assert large.flush() == news(1, 2, settled=0)
    assert large.flush() == news(2, 3, settled=0)


def test_ids_must_grow() -> None:
    one = publisher(4)
    with pytest.raises(AssertionError):
        one.say(said(4)[0], 10)
