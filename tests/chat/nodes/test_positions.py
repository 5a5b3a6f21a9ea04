"""Positions that clients send."""

from __future__ import annotations

import pytest

from chatd.chat.nodes.positions import AHEAD_MS, parse_position
from chatd.cluster.core.position import encode
from chatd.cluster.core.vector import MS_SHIFT, first_of, latest_of
from chatd.store.config import LATEST_COMMIT_MS

MOMENT = 40_000_000_000 << MS_SHIFT
NOW = latest_of(1, MOMENT)
APPLIED = {1: NOW, 2: first_of(2)}


def test_a_vector_is_accepted_by_a_node_that_is_behind() -> None:
    """N-06"""
    said = {1: NOW, 2: latest_of(2, MOMENT)}
    assert parse_position(encode(said), APPLIED, NOW) == said


@pytest.mark.parametrize(
    "said", [{3: latest_of(3, MOMENT)}, {1: NOW, 2: latest_of(2, MOMENT + (AHEAD_MS + 1 << MS_SHIFT))}]
)
def test_a_vector_with_unknown_nodes_or_of_the_future_is_invalid(said: dict[int, int]) -> None:
    """N-06"""
    assert parse_position(encode(said), APPLIED, NOW) is None


def test_a_plain_id_stands_for_a_time_before_it() -> None:
    """N-08: for an origin that has not reached that time, its present position."""
    early = MOMENT - (LATEST_COMMIT_MS << MS_SHIFT)
    assert parse_position(str(MOMENT), APPLIED, NOW) == {1: latest_of(1, early), 2: first_of(2)}
    assert parse_position("0", APPLIED, NOW) == {1: first_of(1), 2: first_of(2)}


@pytest.mark.parametrize("value", [None, 7, "", "v", "-7", "x" * 1_000])
def test_an_invalid_position_is_refused(value: object) -> None:
    """N-06"""
    assert parse_position(value, APPLIED, NOW) is None
