from __future__ import annotations

from collections import Counter

import pytest

from chatd.chat.nodes import people
from chatd.chat.nodes.people import Here, Of, People


class Node:
    """`changes` are the changes that were passed to presence."""

    def __init__(self, number: int, epoch: int = 1, max_elsewhere: int = 100) -> None:
        self.woken = 0
        self.changes: Counter[str] = Counter()
        self.people = People(number, epoch, self._wake, max_elsewhere)
        self.people.on_change = self._count

    def _wake(self) -> None:
        self.woken += 1

    def _count(self, user: str, change: int) -> None:
        assert change != 0
        self.changes[user] += change
        assert self.changes[user] >= 0

    def hear(self, other: Node) -> None:
        for here in other.people.news():
            self.people.hear(here)


@pytest.fixture
def one() -> Node:
    return Node(1)


@pytest.fixture
def two() -> Node:
    return Node(2)


def test_sockets_are_counted_by_user_and_published(one: Node, two: Node) -> None:
    """N-20"""
    one.hear(two)
    for _ in range(3):
        two.people.joined("ana", is_admin=False)
    two.people.joined("eva", is_admin=False)
    one.hear(two)
    assert two.woken == 4
    assert (two.people.sockets, len(two.people), "ana" in two.people, "ana" in one.people) == (4, 2, True, False)
    assert (one.people.sockets_on([2], "ana"), one.people.sockets_on([2], "eva")) == (3, 1)
    assert one.people.sockets_on([3], "ana") == 0
    two.people.parted("ana", is_admin=False)
    two.people.parted("eva", is_admin=False)
    one.hear(two)
    assert (one.people.sockets_on([2], "ana"), one.people.sockets_on([2], "eva")) == (2, 0)
    assert one.changes == {"ana": 2, "eva": 0}


def test_without_changes_nothing_is_published(two: Node) -> None:
    assert list(two.people.news()) == [Here(2, 1, True, True, {})]
    assert list(two.people.news()) == []


def test_a_user_is_an_admin_while_one_of_its_sockets_is_an_admins(one: Node, two: Node) -> None:
    """N-12"""
    two.people.joined("ana", is_admin=False)
    two.people.joined("root", is_admin=False)
    two.people.joined("root", is_admin=True)
    one.hear(two)
    assert (one.people.is_admin_elsewhere("root"), one.people.is_admin_elsewhere("ana")) == (True, False)
    assert one.people.has_admin_elsewhere()
    two.people.parted("root", is_admin=True)
    one.hear(two)
    assert not one.people.is_admin_elsewhere("root")
    assert not one.people.has_admin_elsewhere()
    assert one.people.sockets_on([2], "root") == 1


def test_a_complete_list_removes_missing_users_and_keeps_the_others(
    one: Node, two: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-12: with any number of frames, no user goes offline in between."""
    monkeypatch.setattr(people, "MAX_PEOPLE", 2)
    for user in ("a", "b", "c", "d", "e"):
        two.people.joined(user, is_admin=False)
    one.hear(two)
    two.people.parted("b", is_admin=False)
    assert [here.people for here in two.people.news()] == [{"b": Of(0, False)}]  # this frame is lost
    two.people.ask()
    frames = list(two.people.news())
    assert [(here.begins, here.ends, len(here.people)) for here in frames] == [(True, False, 2), (False, True, 2)]
    for here in frames:
        one.people.hear(here)
        assert all(one.changes[user] == 1 for user in ("a", "c", "d", "e"))
    assert one.changes["b"] == 0


def test_an_incomplete_list_removes_no_user(one: Node, two: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """N-12"""
    monkeypatch.setattr(people, "MAX_PEOPLE", 1)
    for user in ("a", "b"):
        two.people.joined(user, is_admin=False)
    one.hear(two)
    two.people.ask()
    _, last = two.people.news()
    one.people.hear(last)
    assert one.changes == {"a": 1, "b": 1}


def test_the_users_of_a_dead_node_are_removed(one: Node, two: Node) -> None:
    """N-12"""
    two.people.joined("ana", is_admin=True)
    two.people.joined("ana", is_admin=True)
    one.hear(two)
    one.people.forget(2)
    one.people.forget(3)
    assert one.changes == {"ana": 0}
    assert not one.people.is_admin_elsewhere("ana")
    assert not one.people.has_admin_elsewhere()


def test_a_new_process_removes_the_users_of_the_previous_one(one: Node, two: Node) -> None:
    """N-42: whether its membership or its list arrives first."""
    for user in ("ana", "root"):
        two.people.joined(user, is_admin=user == "root")
    one.hear(two)
    one.people.forget_before(2, 1)
    assert one.changes == {"ana": 1, "root": 1}
    reborn = Node(2, epoch=2)
    reborn.people.joined("eva", is_admin=False)
    one.hear(reborn)
    assert one.changes == {"ana": 0, "root": 0, "eva": 1}
    assert not one.people.has_admin_elsewhere()
    one.people.forget_before(2, 3)
    assert one.changes["eva"] == 0


def test_a_change_from_a_new_process_removes_the_users_of_the_previous_one(one: Node, two: Node) -> None:
    """N-42: if its complete list was lost."""
    two.people.joined("ana", is_admin=False)
    one.hear(two)
    one.people.hear(Here(2, 2, False, False, {"eva": Of(1, False)}))
    assert one.changes == {"ana": 0, "eva": 1}


def test_the_number_of_known_users_of_other_nodes_is_bounded(two: Node) -> None:
    """N-40: users over the bound count as absent until there is room and their node reports them again."""
    one, three = Node(1, max_elsewhere=3), Node(3)
    for user in ("a", "b"):
        two.people.joined(user, is_admin=False)
    for user in ("b", "c", "root"):
        three.people.joined(user, is_admin=user == "root")
    one.hear(two)
    assert one.people.excess == 0
    one.hear(three)
    assert one.changes == {"a": 1, "b": 2}
    assert (one.people.excess, one.people.sockets_on([3], "c"), one.people.has_admin_elsewhere()) == (1, 0, False)
    two.people.joined("a", is_admin=False)  # a known user
    one.hear(two)
    assert (one.changes["a"], one.people.excess) == (2, 1)
    three.people.parted("c", is_admin=False)  # an unknown user
    one.people.forget(2)
    three.people.joined("root", is_admin=True)
    one.hear(three)
    assert one.changes == {"a": 0, "b": 1, "root": 2}
    assert one.people.has_admin_elsewhere()


def test_an_endless_list_keeps_no_names_of_absent_users(one: Node) -> None:
    """N-40"""
    for number in range(100):
        one.people.hear(Here(2, 1, number == 0, False, {f"user {number}": Of(0, False)}))
    assert one.people._listed == {2: set()}
