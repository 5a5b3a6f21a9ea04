"""The text form of positions in the log."""

from __future__ import annotations

import pytest

from chatd.store.positions import WHOLE, Position, decode, encode


@pytest.mark.parametrize(
    ("position", "text"), [({WHOLE: 7}, "7"), ({WHOLE: 0}, "0"), ({2: 5, 1: 9}, "1.9-2.5"), ({1023: 1}, "1023.1")]
)
def test_a_position_reads_back_as_it_was_written(position: Position, text: str) -> None:
    """A-20"""
    assert encode(position) == text
    assert decode(text) == position


@pytest.mark.parametrize("text", ["", "x", "-1", "1.", "1.2-", "1.2-1.3", "1" * 20, "12345.1", "1.2-3"])
def test_other_texts_are_refused_as_positions(text: str) -> None:
    """A-20"""
    assert decode(text) is None
