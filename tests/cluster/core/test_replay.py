from __future__ import annotations

import pytest

from chatd.cluster.core.replay import Missing, Replay, starting_point
from chatd.cluster.core.vector import covers, first_of
from tests.cluster.core.said import Said, at, said, times_of

CLIENT = {1: at(3, 1), 2: at(5, 2)}
NODE = {1: at(9, 1), 2: at(7, 2)}


def test_missed_messages_are_read_and_sent_in_the_order_of_ids() -> None:
    replay = Replay[Said](CLIENT, NODE, [])
    missing = [replay.missing]
    rows = said(4, origin=1) + said(6, origin=2) + said(8, origin=1)
    assert times_of(replay.page(rows, at(9, 1))) == [4, 6, 8]
    missing.append(replay.missing)
    assert missing == [Missing(at(3, 1), at(9, 1)), None]
    assert replay.position == NODE


def test_rows_that_the_client_has_or_that_follow_live_are_skipped() -> None:
    rows = said(4, origin=2) + said(6, origin=2) + said(8, origin=2) + said(8, origin=3)
    assert times_of(Replay[Said](CLIENT, NODE, []).page(rows, at(9, 1))) == [6]


def test_messages_without_a_row_come_from_the_tail_and_no_message_comes_twice() -> None:
    replay = Replay(CLIENT, NODE, said(9, 8, 3, origin=1))
    assert times_of(replay.page(said(4, 8, origin=1), at(9, 1))) == [4, 8, 9]


def test_a_tail_waits_for_the_page_that_it_belongs_to() -> None:
    replay = Replay(CLIENT, NODE, said(8, origin=1))
    assert times_of(replay.page(said(4, 5, origin=1), at(5, 1))) == [4, 5]
    assert replay.missing == Missing(at(5, 1), at(9, 1))
    assert times_of(replay.page(said(7, origin=2), at(9, 1))) == [7, 8]


def test_the_position_after_each_message_recovers_the_rest() -> None:
    rows = said(4, origin=1) + said(6, origin=2) + said(8, origin=1)
    for delivery in Replay[Said](CLIENT, NODE, []).page(rows, at(9, 1)):
        after = [row for row in rows if row.id > delivery.item.id]
        again = Replay[Said](delivery.position, NODE, [])
        rest = again.page(rows, at(9, 1)) if again.missing else []
        assert [one.item for one in rest] == after
        assert covers(delivery.position, CLIENT)


def test_nothing_is_read_for_a_client_that_has_everything() -> None:
    replay: Replay[Said] = Replay(NODE, NODE, [])
    assert replay.missing is None
    with pytest.raises(AssertionError):
        replay.page([], at(9, 1))


def test_a_client_that_is_ahead_of_the_node_stays_where_it_is() -> None:
    replay: Replay[Said] = Replay({1: at(20, 1), 2: at(5, 2)}, NODE, [])
    assert replay.missing == Missing(at(5, 2), at(9, 1))
    assert replay.position == {1: at(20, 1), 2: at(7, 2)}


def test_a_client_without_an_entry_for_a_node_has_no_message_of_it() -> None:
    applied = NODE | {3: at(9, 3), 4: at(9, 4)}
    start = starting_point(CLIENT, applied, {1: at(0, 1), 3: at(6, 3)})
    assert start == CLIENT | {3: at(6, 3), 4: first_of(4)}


def test_a_position_keeps_entries_of_nodes_unknown_to_the_new_node() -> None:
    assert starting_point({5: at(4, 5)}, {}, {}) == {5: at(4, 5)}
