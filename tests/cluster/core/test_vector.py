from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.chat.messages.ids import IdSource, parts
from chatd.cluster.core.vector import MAX_ID, MAX_ORIGIN, covers, first_of, joined, latest_of, origin_of
from chatd.store.base import MessageId
from tests.cluster.core.said import at

ids = st.integers(0, MAX_ID)
origins = st.integers(0, MAX_ORIGIN)


@given(ids)
def test_the_origin_of_an_id_is_the_node_that_made_it(message_id: int) -> None:
    assert origin_of(message_id) == parts(MessageId(message_id)).node


@given(origins)
def test_the_ids_of_a_node_are_greater_than_its_first(origin: int) -> None:
    assert origin_of(first_of(origin)) == origin
    assert IdSource(lambda: 1_800_000_000_000, origin, None).next() > first_of(origin)


@given(origins, ids)
def test_the_latest_id_of_an_origin_up_to_a_time_is_exact(origin: int, upto: int) -> None:
    latest = latest_of(origin, upto)
    assert origin_of(latest) == origin
    if latest != first_of(origin):
        assert latest <= upto
    following = latest + 1 if origin_of(latest + 1) == origin else at((latest >> 22) + 1, origin)
    assert following > upto


def test_a_join_takes_the_greater_entry_of_each_origin() -> None:
    one, other = {1: 10, 2: 20}, {2: 19, 3: 30}
    assert joined(one, other) == joined(other, one) == {1: 10, 2: 20, 3: 30}
    assert one == {1: 10, 2: 20}, "a join does not change its arguments"


def test_a_vector_covers_another_if_each_entry_is_at_least_as_great() -> None:
    assert covers({1: 10, 2: 20}, {1: 10})
    assert covers({1: 0}, {})
    assert not covers({1: 10, 2: 20}, {1: 11})
    assert not covers({1: 10}, {2: 0})
