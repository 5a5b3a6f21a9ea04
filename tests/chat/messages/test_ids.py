"""Ids only grow, whatever the wall clock does."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.base.errors import ConfigError
from chatd.chat.messages.ids import (
    AHEAD_MS,
    EPOCH_MS,
    MAX_CLOCK_MS,
    MAX_MS,
    MAX_NODE,
    IdParts,
    IdsExhaustedError,
    IdSource,
    first_id_of,
    is_in_reserve,
    parts,
)
from chatd.store.base import MessageId

NOW = EPOCH_MS + 40_000_000_000
LARGEST = MessageId(2**63 - 1)

nodes = st.integers(0, MAX_NODE)
instants = (
    st.integers(NOW - 10**8, NOW + 10**8)
    | st.integers(0, EPOCH_MS + MAX_MS // 2)
    | st.integers().filter(lambda ms: abs(ms - EPOCH_MS - MAX_MS) > 1_000)
)
stored = st.none() | st.builds(MessageId, st.integers(0, 2**62))


class Clock:
    """A wall clock that the test sets."""

    def __init__(self) -> None:
        self.ms = NOW

    def __call__(self) -> int:
        return self.ms


def standing(ms: int) -> IdSource:
    return IdSource(lambda: ms, 0, None)


@given(st.lists(st.tuples(instants, st.integers(1, 5), st.booleans(), nodes)), stored)
def test_ids_grow_through_every_jump_of_the_clock_and_every_restart(
    life: list[tuple[int, int, bool, int]], last: MessageId | None
) -> None:
    clock = Clock()
    source = IdSource(clock, 0, last)
    for instant, count, restart, node in life:
        clock.ms = instant
        if restart:
            source = IdSource(clock, node, last)
        for _ in range(count):
            made = source.next()
            assert 0 < made <= LARGEST
            assert last is None or made > last
            last = made


@given(st.integers(1, MAX_CLOCK_MS), nodes)
def test_an_id_contains_its_time_and_node(ms: int, node: int) -> None:
    source = IdSource(lambda: EPOCH_MS + ms, node, None)
    assert parts(source.next()) == IdParts(EPOCH_MS + ms, node, 0)
    assert parts(source.next()) == IdParts(EPOCH_MS + ms, node, 1)


def test_ids_over_one_millisecond_s_range_use_the_next_millisecond() -> None:
    clock = Clock()
    source = IdSource(clock, 7, None)
    made = [source.next() for _ in range(10_000)]
    assert all(earlier < later for earlier, later in itertools.pairwise(made))
    assert parts(made[4095]) == IdParts(NOW, 7, 4095)
    assert parts(made[4096]) == IdParts(NOW + 1, 7, 0)
    assert parts(made[-1]).ms == NOW + 2
    clock.ms = NOW + 3
    assert parts(source.next()) == IdParts(NOW + 3, 7, 0)


def test_ids_grow_while_the_clock_is_set_back() -> None:
    clock = Clock()
    source = IdSource(clock, 0, None)
    before = source.next()
    clock.ms = NOW - 5 * 3_600_000
    assert source.next() == before + 1
    restarted = IdSource(clock, 0, before)
    assert parts(restarted.next()) == IdParts(NOW + 1, 0, 0)
    clock.ms = NOW + 2
    assert parts(restarted.next()) == IdParts(NOW + 2, 0, 0)


def test_a_smaller_node_continues_above_a_larger_one() -> None:
    last = IdSource(lambda: NOW, MAX_NODE, None).next()
    assert IdSource(lambda: NOW, 0, last).next() > last


@pytest.mark.parametrize("ms", [-(10**18), 0, EPOCH_MS - 1, EPOCH_MS + MAX_MS + 1, 10**18])
def test_a_clock_that_is_out_of_range_is_ignored(ms: int) -> None:
    assert parts(standing(ms).next()) == IdParts(EPOCH_MS + 1, 0, 0)


def test_exhausted_ids_are_an_error_for_the_sender() -> None:
    """C-58"""
    source = IdSource(lambda: NOW, 0, MessageId(MAX_MS - 1 << 22))
    made = [source.next() for _ in range(4096)]
    assert made[-1] == LARGEST - (MAX_NODE << 12)
    with pytest.raises(IdsExhaustedError) as refused:
        source.next()
    assert (refused.value.code, refused.value.retry) == ("store_exhausted", False)


@pytest.mark.parametrize("last", [LARGEST, MessageId(MAX_MS << 22)])
def test_after_the_greatest_stored_id_the_source_starts_and_gives_no_id(last: MessageId) -> None:
    """C-58"""
    source = IdSource(lambda: NOW, 0, last)
    for _ in range(2):
        with pytest.raises(IdsExhaustedError):
            source.next()


def test_after_any_clock_there_are_ids_for_a_year() -> None:
    """C-58: a clock in the last year is out of range."""
    source = standing(EPOCH_MS + MAX_CLOCK_MS)
    last = source.next()
    assert parts(last).ms == EPOCH_MS + MAX_CLOCK_MS
    assert not is_in_reserve(last)
    assert parts(standing(EPOCH_MS + MAX_CLOCK_MS + 1).next()).ms == EPOCH_MS + 1
    assert MAX_MS - MAX_CLOCK_MS > 365 * 86_400_000


def test_an_id_is_ahead_if_it_is_above_the_clock_and_the_stored_ids() -> None:
    """C-62"""
    source = IdSource(lambda: NOW, 0, first_id_of(NOW - 10 * AHEAD_MS))
    assert not source.is_ahead(first_id_of(NOW + AHEAD_MS))
    assert source.is_ahead(first_id_of(NOW + AHEAD_MS + 1))
    later = IdSource(lambda: NOW, 0, first_id_of(NOW + 400 * AHEAD_MS))
    assert not later.is_ahead(first_id_of(NOW + 401 * AHEAD_MS))
    assert later.is_ahead(LARGEST)


@pytest.mark.parametrize("node", [-1, MAX_NODE + 1])
def test_a_node_out_of_range_is_the_operators_error(node: int) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1023"):
        IdSource(lambda: NOW, node, None)
