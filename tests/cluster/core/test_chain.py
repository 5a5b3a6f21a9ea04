from __future__ import annotations

from chatd.cluster.core.chain import link
from tests.cluster.core.said import at, news, said


def test_messages_after_the_last_applied_one_are_linked() -> None:
    assert link(at(3), news(3, 4, 5)) == said(4, 5)


def test_a_missing_predecessor_is_a_gap() -> None:
    assert link(at(3), news(4, 5)) is None
    assert link(at(3), news(4)) is None, "a beat shows it as well"


def test_a_duplicate_frame_adds_nothing() -> None:
    assert link(at(5), news(3, 4, 5)) == []


def test_a_partly_healed_frame_adds_its_other_messages() -> None:
    assert link(at(4), news(3, 4, 5)) == said(5)


def test_a_promise_between_two_messages_is_no_gap() -> None:
    assert link(at(9), news(3, 12)) == said(12)
