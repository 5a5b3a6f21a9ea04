from __future__ import annotations

from collections.abc import Sequence

import pytest

from chatd.cluster.core.receiver import MAX_WAITING, Receiver
from chatd.cluster.core.replay import Delivery, Missing, Replay
from chatd.cluster.core.vector import Vector
from tests.cluster.core.said import Said, at, said, times_of

CLIENT = {1: at(3, 1), 2: at(20, 2)}
NODE = {1: at(9, 1), 2: at(7, 2)}


def receiver(client: Vector = CLIENT, node: Vector = NODE) -> Receiver[Said]:
    one: Receiver[Said] = Receiver(client)
    one.begin(Replay(client, node, []))
    return one


def live(ms: int, origin: int, node: Vector = NODE) -> Delivery[Said]:
    (item,) = said(ms, origin=origin)
    return Delivery(item, node | {origin: item.id})


def given(one: Receiver[Said], *deliveries: Delivery[Said]) -> list[int]:
    return times_of([sent for delivery in deliveries if (sent := one.live(delivery)) is not None])


def caught_up() -> Receiver[Said]:
    one = receiver()
    one.page([], at(9, 1))
    assert one.end() == []
    return one


def test_live_messages_wait_until_missed_messages_are_sent() -> None:
    one = receiver()
    assert one.missing == Missing(at(3, 1), at(9, 1))
    assert given(one, live(10, 1)) == []
    assert times_of(one.page(said(5, origin=1), at(9, 1))) == [5]
    assert given(one, live(11, 1)) == []
    waited = one.end()
    assert waited is not None
    assert times_of(waited) == [10, 11]
    assert given(one, live(12, 1)) == [12]


def test_a_node_that_is_behind_does_not_resend_messages_that_the_client_has() -> None:
    one = caught_up()
    assert given(one, live(8, 2), live(10, 1), live(20, 2), live(21, 2)) == [10, 21]


def test_the_position_is_never_behind_the_client_s_messages() -> None:
    one = caught_up()
    sent = one.live(live(10, 1))
    assert sent is not None
    assert sent.position == one.position == {1: at(10, 1), 2: at(20, 2)}


def test_a_receiver_is_a_normal_one_when_its_node_has_passed_its_position() -> None:
    one = caught_up()
    assert given(one, live(19, 2)) == []
    assert not one.is_like_others
    one.live(live(20, 2))
    assert one.is_like_others


def test_a_receiver_is_a_normal_one_at_once_if_its_node_is_not_behind() -> None:
    behind = {1: at(3, 1), 2: at(4, 2)}
    one = receiver(behind)
    assert not one.is_like_others
    one.page([], at(9, 1))
    assert one.end() == []
    assert one.is_like_others


def test_live_messages_over_the_bound_are_read_from_the_database() -> None:
    one = receiver()
    for ms in range(10, 11 + MAX_WAITING):
        assert one.live(live(ms, 1)) is None
    one.page([], at(9, 1))
    assert one.end() is None
    now = NODE | {1: at(10 + MAX_WAITING, 1)}
    one.begin(Replay(one.position, now, []))
    assert one.missing == Missing(at(9, 1), max(now.values()))
    rows: Sequence[Said] = said(*range(10, 11 + MAX_WAITING), origin=1)
    assert len(one.page(rows, max(now.values()))) == MAX_WAITING + 1
    assert one.end() == []


def test_a_receiver_reads_nothing_before_it_has_started() -> None:
    with pytest.raises(AssertionError):
        Receiver[Said](CLIENT).page([], at(9, 1))
