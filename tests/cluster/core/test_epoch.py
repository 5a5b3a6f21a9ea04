from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.cluster.core.epoch import AHEAD_MS, Reservation, begin
from chatd.cluster.core.vector import MAX_ID, MAX_ORIGIN, origin_of
from tests.cluster.core.said import at

ids = st.integers(0, MAX_ID >> 1)


@given(st.integers(0, MAX_ORIGIN), ids, ids)
def test_an_epoch_is_above_all_rows_and_the_reservation_of_the_predecessor(
    origin: int, stored: int, reserved: int
) -> None:
    epoch = begin(origin, stored, reserved)
    assert origin_of(epoch) == origin
    assert epoch >= max(stored, reserved)
    assert epoch - max(stored, reserved) < at(2, 0), "the epoch is the smallest possible"


def test_an_id_above_the_reservation_is_not_allowed() -> None:
    reservation = Reservation(1, at(5_000))
    assert reservation.allows(at(5_000))
    assert not reservation.allows(at(5_000) + 1)


def test_the_reservation_is_renewed_before_it_is_exhausted() -> None:
    reservation = Reservation(1, at(5_000))
    assert reservation.ask(at(5_000 - AHEAD_MS)) is None
    asked = reservation.ask(at(5_000 - AHEAD_MS // 2))
    assert asked is not None
    assert asked >= at(5_000 + AHEAD_MS // 2)
    assert origin_of(asked) == 1
    assert not reservation.allows(asked), "a reservation is valid only when it is stored"
    assert reservation.ask(at(5_000)) is None, "one write at a time"
    reservation.done(written=True)
    assert reservation.allows(asked)


def test_a_failed_write_of_the_reservation_is_retried() -> None:
    reservation = Reservation(1, at(5_000))
    asked = reservation.ask(at(6_000))
    reservation.done(written=False)
    assert not reservation.allows(at(5_001))
    assert reservation.ask(at(6_000)) == asked
