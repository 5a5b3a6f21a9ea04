from __future__ import annotations

import base64
import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.chat.messages.ids import parse_id
from chatd.cluster.core.position import MAX_CHARS, PositionError, decode, encode
from chatd.cluster.core.vector import MAX_ID, MAX_ORIGIN, MAX_ORIGINS, Vector, latest_of, origin_of
from tests.cluster.core.said import at

NOW_MS = 60_000_000_000  # since 2025: November 2026
YEAR_MS = 31_536_000_000

vectors = st.dictionaries(st.integers(0, MAX_ORIGIN), st.integers(0, MAX_ID), min_size=1, max_size=MAX_ORIGINS).map(
    lambda entries: {origin: latest_of(origin, upto) for origin, upto in entries.items()}
)


def text_of(*numbers: int) -> str:
    """The text of numbers below 128."""
    return "v" + base64.urlsafe_b64encode(bytes(numbers)).rstrip(b"=").decode()


@given(vectors)
def test_a_position_reads_back_as_it_was_written(vector: Vector) -> None:
    text = encode(vector)
    assert decode(text) == vector
    assert len(text) <= MAX_CHARS
    assert parse_id(text) is None, "no plain id has this form"


@pytest.mark.parametrize(("nodes", "chars"), [(1, 13), (3, 24), (16, 93)])
def test_a_position_is_short(nodes: int, chars: int) -> None:
    """Each node has sent in the last half second."""
    vector = {origin: at(NOW_MS - 511 * (origin > 0), origin, 4_095 * (origin > 0)) for origin in range(nodes)}
    assert len(encode(vector)) == chars


def test_a_node_that_is_a_year_behind_takes_eight_more_characters() -> None:
    vector = {origin: at(NOW_MS, origin) for origin in range(16)}
    assert len(encode(vector | {3: at(NOW_MS - YEAR_MS, 3)})) == len(encode(vector)) + 8


def test_the_longest_position_is_within_the_limit() -> None:
    """The maximum of nodes, with numbers far apart, one of them 69 years ahead of the others."""
    vector = {origin: at(0, origin) for origin in range(127, MAX_ORIGIN + 1, 129)}
    vector |= {origin: at(0, origin) for origin in range(MAX_ORIGIN, MAX_ORIGIN - MAX_ORIGINS + 1 + len(vector), -1)}
    vector[0] = at(2**41 - 1, 0, 4_095)
    assert len(vector) == MAX_ORIGINS
    assert decode(encode(vector)) == vector


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        b"v",
        "",
        "v",
        "1234567890123456789",
        "vv",
        "v=",
        "v ",
        text_of(5, 1, 0) + "=",
        text_of(5, 1, 0) + "\n",
        text_of(5, 1, 0).upper().replace("V", "v", 1) + "é",
        text_of(5),
        text_of(5, 1),
        text_of(5, 1, 6),
        text_of(5, 1, 1),
        text_of(5, 1, 0, 0),
        "v" + base64.urlsafe_b64encode(b"\x85\x00\x01\x00").decode().rstrip("="),
        "v" + base64.urlsafe_b64encode(b"\xff" * 9 + b"\x01\x00").decode().rstrip("="),
        "v" + base64.urlsafe_b64encode(b"\x05\xff\x7f\x00").decode().rstrip("="),
        "v" + "A" * MAX_CHARS,
        "v" * 1_000_000,
        "v" + base64.urlsafe_b64encode(b"\x05" + b"\x00\x00" * (MAX_ORIGINS + 1)).decode().rstrip("="),
    ],
)
def test_an_invalid_position_text_is_refused(text: object) -> None:
    with pytest.raises(PositionError):
        decode(text)


def test_the_smallest_position_is_accepted() -> None:
    assert decode(text_of(5, 1, 0)) == {1: at(0, 1, 5)}


ALPHABET = string.ascii_letters + string.digits + "-_"


@given(st.text() | st.text(ALPHABET).map("v".__add__) | st.binary().map(lambda data: text_of(*data)))
def test_any_text_is_a_canonical_position_or_refused(text: str) -> None:
    with contextlib.suppress(PositionError):
        vector = decode(text)
        assert encode(vector) == text
        assert all(origin_of(upto) == origin and 0 <= upto <= MAX_ID for origin, upto in vector.items())
