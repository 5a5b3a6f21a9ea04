from __future__ import annotations

from chatd.cluster.core.floor import Floor
from tests.cluster.core.said import at

CLIENT = {1: at(7, 1), 2: at(3, 2)}


def test_exactly_the_messages_that_the_client_has_are_hidden() -> None:
    floor = Floor(CLIENT)
    assert floor.hides(at(7, 1))
    assert not floor.hides(at(8, 1))
    assert not floor.hides(at(4, 2)), "the client has later messages of another origin only"
    assert not floor.hides(at(1, 3))


def test_a_client_that_is_ahead_of_its_node_stays_ahead() -> None:
    assert Floor(CLIENT).raised({1: at(5, 1), 2: at(9, 2)}) == {1: at(7, 1), 2: at(9, 2)}


def test_the_floor_is_reached_when_the_node_is_as_far_for_each_origin() -> None:
    floor = Floor(CLIENT)
    assert not floor.is_reached({1: at(9, 1)})
    assert not floor.is_reached({1: at(9, 1), 2: at(2, 2)})
    assert floor.is_reached({1: at(7, 1), 2: at(3, 2), 3: at(0, 3)})
