from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.cluster.core.epoch import AHEAD_MS, Reservation, begin
from chatd.cluster.core.vector import MAX_ID, MAX_ORIGIN, origin_of
from tests.cluster.core.said import at

ids = st.integers(0, MAX_ID >> 1)


@given(st.integers(0, MAX_ORIGIN), ids, ids)
def test_a_process_begins_above_all_rows_and_all_that_its_predecessor_reserved(
    origin: int, stored: int, reserved: int
) -> None:
    epoch = begin(origin, stored, reserved)
    assert origin_of(epoch) == origin
    assert epoch >= max(stored, reserved)
    assert epoch - max(stored, reserved) < at(2, 0), "and not further than it must"


def test_an_id_beyond_the_reservation_must_not_be_used() -> None:
    reservation = Reservation(1, at(5_000))
    assert reservation.allows(at(5_000))
    assert not reservation.allows(at(5_000) + 1)


def test_the_reservation_is_renewed_before_it_is_used_up() -> None:
    reservation = Reservation(1, at(5_000))
    assert reservation.ask(at(5_000 - AHEAD_MS)) is None
    asked = reservation.ask(at(5_000 - AHEAD_MS // 2))
    assert asked is not None
    assert asked >= at(5_000 + AHEAD_MS // 2)
    assert origin_of(asked) == 1
    assert not reservation.allows(asked), "nothing counts before the database has it"
    assert reservation.ask(at(5_000)) is None, "one question at a time"
    reservation.done(written=True)
    assert reservation.allows(asked)


def test_a_reservation_that_could_not_be_written_is_asked_for_again() -> None:
    reservation = Reservation(1, at(5_000))
    asked = reservation.ask(at(6_000))
    reservation.done(written=False)
    assert not reservation.allows(at(5_001))
    assert reservation.ask(at(6_000)) == asked
