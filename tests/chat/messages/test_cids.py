from __future__ import annotations

from chatd.chat.messages.cids import Cids, Knowledge
from chatd.store.base import MAX_CIDS

MANY = [f"cid {number}" for number in range(MAX_CIDS)]


def test_nothing_is_new_before_the_database_was_read() -> None:
    """C-22"""
    cids = Cids()
    assert not cids.is_new("a")
    cids.ask()
    assert not cids.is_new("a")
    cids.learn(["a"])
    assert (cids.is_new("a"), cids.is_new("b"), len(cids)) == (False, True, 1)


def test_what_was_added_while_it_was_read_is_not_new() -> None:
    """C-22: its row may have been written after the reading began."""
    cids = Cids()
    cids.add("before")
    cids.ask()
    cids.add("during")
    cids.learn([])
    assert [cid for cid in ("before", "during", "after") if cids.is_new(cid)] == ["after"]


def test_a_reading_that_failed_taught_nothing() -> None:
    """C-23"""
    cids = Cids()
    cids.ask()
    cids.learn_nothing()
    assert cids.knowledge is Knowledge.NOTHING
    assert not cids.is_new("a")


def test_of_whoever_has_too_many_none_is_kept_and_none_is_new() -> None:
    """C-22: read at once, or grown one by one."""
    read, grown = Cids(), Cids()
    for cids in (read, grown):
        cids.ask()
    read.learn(None)
    grown.learn(MANY)
    assert grown.is_new("one more")
    grown.add("one more")
    for cids in (read, grown):
        cids.add("x")
        assert (cids.knowledge, len(cids), cids.is_new("y")) == (Knowledge.TOO_MANY, 0, False)


def test_an_answer_that_comes_too_late_changes_nothing() -> None:
    """C-22: they became too many while the database was read."""
    cids = Cids()
    cids.ask()
    for cid in (*MANY, "one more"):
        cids.add(cid)
    cids.learn([])
    assert not cids.is_new("y")
