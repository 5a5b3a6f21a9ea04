from __future__ import annotations

from itertools import pairwise

import pytest

from chatd.cluster.core.beat import BEAT_S, DEAF_S, POLL_S, SILENT_S
from chatd.cluster.core.frame import Call
from chatd.cluster.core.heal import FIRST_PAUSE_S, Read
from chatd.cluster.core.members import LEASE_S, Change, Turn
from chatd.cluster.core.node import SLEPT_S, Act, Bus, Node, Poll, TooManyOriginsError
from chatd.cluster.core.receiver import Receiver
from chatd.cluster.core.vector import MAX_ID, MAX_ORIGINS, first_of
from tests.cluster.core.said import Said, at, news, said, times_of

EPOCH = at(0, 1)
NOW_S = 100.0


def node(**applied: int) -> Node[Said]:
    """Node 1; `applied` are the positions of other nodes, `o2=5` for node 2 at 5 ms. The bus is up."""
    others = {int(name[1:]): at(ms, int(name[1:])) for name, ms in applied.items()}
    one: Node[Said] = Node(1, EPOCH, others, dict.fromkeys(others, 0), NOW_S)
    one.bus_came_up(NOW_S)
    return one


def test_an_own_message_is_delivered_at_once_and_published_at_the_end_of_the_turn() -> None:
    one = node(o2=5)
    (item,) = said(4)
    delivery = one.say(item, 10)
    assert delivery.item is item
    assert delivery.position == {1: at(4), 2: at(5, 2)}
    assert one.flush(NOW_S) == news(0, 4, settled=0)
    assert one.flush(NOW_S) is None


def test_a_frame_has_the_settled_position() -> None:
    one = node()
    one.say(said(4)[0], 10)
    one.settle(at(4))
    assert one.beat(at(9), NOW_S) == news(0, 4, last=9)
    assert one.vector == {1: at(9)}


def test_each_delivery_has_the_position_after_it_and_not_that_of_its_frame() -> None:
    one = node(o2=5, o3=7)
    deliveries = one.on_frame(news(5, 6, 8, origin=2), 10, NOW_S)
    assert times_of(deliveries) == [6, 8]
    assert [delivery.position[2] for delivery in deliveries] == [at(6, 2), at(8, 2)]
    assert {delivery.position[3] for delivery in deliveries} == {at(7, 3)}


def test_own_frames_from_the_bus_are_not_delivered_again() -> None:
    one = node()
    one.say(said(4)[0], 10)
    told = one.flush(NOW_S)
    assert told is not None
    assert one.on_frame(told, 10, NOW_S) == []


def test_a_gap_is_read_from_the_database_and_delivered() -> None:
    one = node(o2=5)
    assert one.on_frame(news(7, 8, origin=2), 10, NOW_S) == []
    assert one.behind == [2]
    assert not one.is_ready
    read = Read(2, at(5, 2), at(7, 2))
    assert read in one.tick(NOW_S)
    assert read not in one.tick(NOW_S)
    one.on_read_failed(read, NOW_S)
    assert read not in one.tick(NOW_S)
    assert read in one.tick(NOW_S + FIRST_PAUSE_S)
    deliveries = one.on_rows(read, said(6, 7, origin=2), at(7, 2))
    assert times_of(deliveries) == [6, 7, 8]
    assert one.is_ready


def test_an_idle_node_sends_beats() -> None:
    one = node()
    assert Act.BEAT in one.tick(NOW_S)
    one.beat(None, NOW_S)
    assert Act.BEAT not in one.tick(NOW_S)
    assert Act.BEAT in one.tick(NOW_S + BEAT_S)
    one.beat(None, NOW_S + BEAT_S)
    assert one.on_frame(Call(2), 2, NOW_S + BEAT_S) == []
    assert Act.BEAT in one.tick(NOW_S + BEAT_S), "another node has requested it"


def test_a_deaf_bus_is_reconnected_and_the_database_polled() -> None:
    one = node(o2=5)
    one.beat(None, NOW_S)
    one.tick(NOW_S)
    decisions = one.tick(NOW_S + DEAF_S)
    assert Act.RECONNECT in decisions
    assert one.bus is Bus.DOWN
    assert Act.BEAT not in decisions
    one.tick(NOW_S + DEAF_S)
    poll = Poll({1: MAX_ID, 2: at(5, 2)})
    assert poll in one.tick(NOW_S + max(DEAF_S, POLL_S))
    assert poll not in one.tick(NOW_S + 2 * POLL_S), "one at a time"
    rows = said(6, origin=2) + said(7, origin=3) + said(8, origin=1) + said(9, origin=2)
    assert times_of(one.on_polled(rows, whole=True)) == [6, 9, 7]
    assert one.vector == {1: at(0), 2: at(9, 2), 3: at(7, 3)}, "own rows are delivered when they are sent"
    one.bus_came_up(NOW_S + 3.0)
    assert Act.RECONNECT not in one.tick(NOW_S + 3.0)


def test_a_full_poll_is_repeated_at_once_and_a_failed_one_after_the_interval() -> None:
    one = node(o2=5)
    one.bus_went_down()
    assert [type(decision) for decision in one.tick(NOW_S + POLL_S)] == [Poll]
    one.on_polled(said(6, origin=2), whole=False)
    assert [type(decision) for decision in one.tick(NOW_S + POLL_S)] == [Poll]
    one.on_poll_failed()
    assert one.tick(NOW_S + POLL_S) == []
    assert [type(decision) for decision in one.tick(NOW_S + 2 * POLL_S)] == [Poll]


def tick_until(one: Node[Said], until_s: float) -> list[object]:
    """All decisions up to `until_s`; the bus returns own beats."""
    decisions: list[object] = []
    now_s = NOW_S
    while now_s < until_s:
        now_s += 0.05
        for decision in one.tick(now_s):
            decisions.append(decision)
            if decision is Act.BEAT:
                one.on_frame(one.beat(None, now_s), 10, now_s)
    return decisions


def test_other_nodes_join_and_leave() -> None:
    one = node()
    one.on_frame(news(0, origin=2), 10, NOW_S)
    decisions = tick_until(one, NOW_S + LEASE_S + 0.1)
    assert Change(2, Turn.CAME) in decisions
    assert Change(2, Turn.LEFT) in decisions


def test_rows_of_a_silent_node_are_polled_every_second_until_it_sends_again() -> None:
    one = node()
    one.on_frame(news(0, origin=2), 10, NOW_S)
    poll = Poll({1: MAX_ID, 2: at(0, 2)})
    times_s: list[float] = []
    now_s = NOW_S
    while now_s < NOW_S + LEASE_S + 3 * POLL_S:
        now_s += 0.05
        for decision in one.tick(now_s):
            if decision is Act.BEAT:
                one.on_frame(one.beat(None, now_s), 10, now_s)
            elif decision == poll:
                times_s.append(now_s)
                one.on_polled([], whole=True)
    pauses_s = [later - earlier for earlier, later in pairwise([NOW_S, *times_s])]
    assert len(times_s) >= round(LEASE_S + 2 * POLL_S), "before its lease is over, and after"
    assert SILENT_S <= pauses_s[0] < SILENT_S + 2 * BEAT_S
    assert all(POLL_S <= pause_s + 1e-6 < POLL_S + 2 * BEAT_S for pause_s in pauses_s[1:])
    one.on_frame(news(0, origin=2), 10, now_s + POLL_S)
    assert poll not in one.tick(now_s + POLL_S)


def test_frames_of_a_replaced_process_do_not_renew_the_lease() -> None:
    one = node()
    one.on_frame(news(0, origin=2), 10, NOW_S)
    one.on_frame(news(7, epoch=7, origin=2), 10, NOW_S)
    one.tick(NOW_S + LEASE_S / 8)
    assert one.on_frame(news(0, 5, origin=2), 10, NOW_S + LEASE_S / 8) == []
    decisions = tick_until(one, NOW_S + LEASE_S + 0.1)
    assert Change(2, Turn.LEFT) in decisions
    assert one.on_frame(news(5, origin=2), 10, NOW_S + LEASE_S + 0.1) == []
    assert one.living == []


def test_while_all_nodes_send_the_database_is_not_polled() -> None:
    one = node(o2=0)
    now_s = NOW_S
    for _ in range(round(10 * POLL_S / BEAT_S)):
        now_s += BEAT_S
        one.on_frame(news(0, origin=2), 10, now_s)
        one.on_frame(one.beat(None, now_s), 10, now_s)
        assert not any(isinstance(decision, Poll) for decision in one.tick(now_s))


def test_a_process_that_was_suspended_drops_no_other_node() -> None:
    one = node()
    one.on_frame(news(0, origin=2), 10, NOW_S)
    one.beat(None, NOW_S)
    one.tick(NOW_S)
    decisions = one.tick(NOW_S + SLEPT_S + 60.0)
    assert Act.RECONNECT not in decisions
    assert Change(2, Turn.LEFT) not in decisions
    assert one.living == [2]


def test_a_younger_process_with_its_number_ends_it() -> None:
    one = node()
    one.on_frame(news(7, epoch=7), 10, NOW_S)
    assert Act.DISPLACED in one.tick(NOW_S)


def test_a_frame_of_the_own_predecessor_is_ignored() -> None:
    later: Node[Said] = Node(1, at(7), {}, {}, NOW_S)
    later.bus_came_up(NOW_S)
    assert later.on_frame(news(3, 4), 10, NOW_S) == []
    assert Act.DISPLACED not in later.tick(NOW_S)


def test_a_node_is_ready_when_it_is_as_far_as_each_node_of_the_table() -> None:
    one = node(o2=5)
    ready = [one.is_ready]
    one.on_frame(news(5, origin=2), 10, NOW_S)
    ready.append(one.is_ready)
    one.bus_went_down()
    ready.append(one.is_ready)
    assert ready == [False, True, False]


def test_a_node_that_starts_later_is_followed_from_its_first_message() -> None:
    one = node()
    assert one.on_frame(news(6, 7, origin=2), 10, NOW_S) == []
    assert Read(2, first_of(2), at(6, 2)) in one.tick(NOW_S)


def test_an_unheard_node_is_found_in_the_table_and_polled() -> None:
    one = node()
    one.learn({1: EPOCH, 2: at(6, 2)})
    assert one.vector == {1: EPOCH, 2: at(6, 2)}
    assert Poll({1: MAX_ID, 2: at(6, 2)}) in tick_until(one, NOW_S + SILENT_S + 0.1)


def test_the_number_of_origins_is_bounded_by_the_size_of_a_position() -> None:
    one = node()
    for origin in range(2, MAX_ORIGINS + 4):
        one.on_frame(news(0, 1, origin=origin), 10, NOW_S)
    assert len(one.vector) == MAX_ORIGINS
    assert one.refused == 3


def test_a_node_does_not_start_if_too_many_numbers_are_in_use() -> None:
    others = dict.fromkeys(range(2, MAX_ORIGINS + 1), 0)
    assert len(Node[Said](1, EPOCH, others, {}, NOW_S).vector) == MAX_ORIGINS
    with pytest.raises(TooManyOriginsError):
        Node[Said](1, EPOCH, others | {0: 0}, {}, NOW_S)


def test_a_reconnected_client_gets_stored_and_unsettled_messages() -> None:
    one = node(o2=5)
    one.on_frame(news(5, 6, 7, settled=6, origin=2), 10, NOW_S)
    one.say(Said(at(8), "eva"), 10)
    receiver: Receiver[Said] = Receiver({1: EPOCH, 2: at(5, 2)})
    one.join(receiver, lambda item: item.to == "ana")
    assert receiver.missing is not None
    assert times_of(receiver.page(said(6, origin=2), receiver.missing.upto)) == [6, 7]
    assert receiver.end() == []
    assert receiver.position == one.vector
