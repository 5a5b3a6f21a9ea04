from __future__ import annotations

from chatd.chat.messages.cids import Cids, Knowledge
from chatd.store.base import MAX_CIDS

MANY = [f"cid {number}" for number in range(MAX_CIDS)]


def test_no_cid_is_new_before_the_database_was_read() -> None:
    """C-22"""
    cids = Cids()
    assert not cids.is_new("a")
    cids.ask()
    assert not cids.is_new("a")
    cids.learn(["a"])
    assert (cids.is_new("a"), cids.is_new("b"), len(cids)) == (False, True, 1)


def test_a_cid_added_during_the_read_is_not_new() -> None:
    """C-22: its row may have been written after the read began."""
    cids = Cids()
    cids.add("before")
    cids.ask()
    cids.add("during")
    cids.learn([])
    assert [cid for cid in ("before", "during", "after") if cids.is_new(cid)] == ["after"]


def test_a_failed_read_changes_nothing() -> None:
    """C-23"""
    cids = Cids()
    cids.ask()
    cids.learn_nothing()
    assert cids.knowledge is Knowledge.NOTHING
    assert not cids.is_new("a")


def test_a_user_with_too_many_cids_has_none_cached_and_none_new() -> None:
    """C-22: whether read at once or added one by one."""
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


def test_a_late_result_of_a_read_changes_nothing() -> None:
    """C-22: they became too many while the database was read."""
    cids = Cids()
    cids.ask()
    for cid in (*MANY, "one more"):
        cids.add(cid)
    cids.learn([])
    assert not cids.is_new("y")
