"""Ids of one node of a cluster."""

from __future__ import annotations

import pytest

from chatd.chat.messages.ids import EPOCH_MS, parts
from chatd.chat.nodes.ids import ReservedIds
from chatd.cluster.core.epoch import AHEAD_MS, begin
from chatd.store.base import StoreCode, StoreError

NOW_MS = EPOCH_MS + 40_000_000_000


def test_no_id_is_above_the_reserved_range() -> None:
    """N-04"""
    now_ms = NOW_MS
    ids = ReservedIds(lambda: now_ms, 3, begin(3, 0, 0))
    with pytest.raises(StoreError) as refused:
        ids.next()
    assert (refused.value.code, refused.value.retry) == (StoreCode.UNAVAILABLE, True)
    upto = ids.reservation.ask(ids.now)
    assert upto is not None
    ids.reservation.done(written=True)
    assert parts(ids.next()).node == 3
    now_ms += AHEAD_MS
    last = ids.next()
    assert NOW_MS < parts(last).ms <= NOW_MS + AHEAD_MS
    now_ms += 1
    with pytest.raises(StoreError):
        ids.next()
    assert begin(3, last, upto) >= upto


def test_ids_start_above_their_epoch_even_if_it_is_ahead_of_the_clock() -> None:
    """N-04"""
    ahead = ReservedIds(lambda: NOW_MS, 3, 0).now + (5_000 << 22)
    ids = ReservedIds(lambda: NOW_MS, 3, begin(3, ahead, 0))
    assert ids.reservation.ask(ids.now) is not None
    ids.reservation.done(written=True)
    assert ids.next() > ahead
