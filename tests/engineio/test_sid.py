"""Prefixes of session ids, by which proxies find the node."""

from __future__ import annotations

import re

import pytest

from chatd.chat.messages.ids import MAX_NODE
from chatd.engineio.sid import Sid, logged_sid, new_sid, node_mark

MARKS = [node_mark(node) for node in range(1, MAX_NODE + 1)]


def test_no_node_s_prefix_begins_that_of_another() -> None:
    """K-01"""
    assert len(set(MARKS)) == len(MARKS)
    assert not [mark for mark in MARKS if any(mark[:length] in MARKS for length in range(1, len(mark)))]


def test_no_sid_without_a_prefix_begins_with_one() -> None:
    """K-01: also sids of node 0, which may run beside other nodes"""
    assert all("." not in new_sid(node_mark(0)) for _ in range(1_000))


@pytest.mark.parametrize("node", [0, 1, 10, MAX_NODE])
def test_a_sid_has_120_random_bits_and_needs_no_escaping_in_a_url_or_a_cookie(node: int) -> None:
    """E-28, K-01"""
    sids = [new_sid(node_mark(node)).removeprefix(node_mark(node)) for _ in range(200)]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{20}", sid) for sid in sids)
    assert all(len({sid[place] for sid in sids}) > 30 for place in range(20))


@pytest.mark.parametrize(
    ("sid", "logged"),
    [
        ("abcdefghijklmnopqrst", "abcdefgh"),
        ("7.abcdefghijklmnopqrst", "7.abcdefgh"),
        ("1023.abcdefghijklmnopqrst", "1023.abcdefgh"),
    ],
)
def test_a_logged_sid_has_eight_of_the_random_characters(sid: str, logged: str) -> None:
    """K-01"""
    assert logged_sid(Sid(sid)) == logged
