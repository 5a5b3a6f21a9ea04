from __future__ import annotations

from chatd.cluster.core.members import LEASE_S, Change, Members, Turn


def test_a_node_joins_with_its_first_frame_and_leaves_when_its_lease_expires() -> None:
    members = Members([], 0.0)
    assert members.heard(2, 100, 1.0) == Change(2, Turn.CAME)
    assert members.heard(2, 100, 2.0) is None
    assert members.living == [2]
    assert members.tick(2.0 + LEASE_S / 2) == []
    assert members.tick(2.0 + LEASE_S) == [Change(2, Turn.LEFT)]
    assert members.living == []
    assert members.tick(100.0) == [], "once"
    assert members.heard(2, 100, 101.0) == Change(2, Turn.CAME), "the process was only suspended"


def test_a_new_process_with_the_same_number_is_a_restart_and_replaces_the_old_one() -> None:
    members = Members([], 0.0)
    members.heard(2, 100, 0.0)
    assert members.heard(2, 200, 1.0) == Change(2, Turn.RESTARTED)
    assert members.heard(2, 100, 3.0) is None
    assert members.tick(1.0 + LEASE_S) == [Change(2, Turn.LEFT)]


def test_the_nodes_of_the_table_are_awaited_for_one_lease() -> None:
    members = Members([2, 3], 0.0)
    assert not members.are_compared
    assert members.living == []
    members.heard(2, 100, 1.0)
    assert not members.are_compared
    assert members.tick(LEASE_S) == [], "node 3 was never here, so it does not leave"
    assert members.are_compared


def test_after_an_outage_of_the_bus_each_node_must_send_again() -> None:
    members = Members([], 0.0)
    members.heard(2, 100, 0.0)
    members.bus_came_up(10.0)
    assert not members.are_compared
    assert members.tick(10.0) == [], "silence during the outage does not count"
    members.heard(2, 100, 10.1)
    assert members.are_compared


def test_a_process_that_was_suspended_expires_no_other_node() -> None:
    members = Members([], 0.0)
    members.heard(2, 100, 0.0)
    members.slept(60.0)
    assert members.tick(60.0) == []
    assert members.tick(60.0 + LEASE_S) == [Change(2, Turn.LEFT)]


def test_the_silence_of_each_node_is_known() -> None:
    members = Members([4], 0.0)
    members.heard(2, 100, 1.0)
    members.heard(3, 100, 2.0)
    assert members.heard_since(1.5) == [3]
    assert members.silent_s(2.5) == {2: 1.5, 3: 0.5}
    assert [members.epoch(node) for node in (2, 4, 5)] == [100, None, None]
    members.tick(1.0 + LEASE_S)
    assert members.silent_s(4.0) == {3: 2.0}
    assert members.epoch(2) is None
