from __future__ import annotations

from chatd.cluster.core.heal import Read
from chatd.cluster.core.held import MAX_HELD_FRAMES
from chatd.cluster.core.stream import Stream
from tests.cluster.core.said import Said, at, news, said, times


def stream(applied: int = 3) -> Stream[Said]:
    return Stream(1, at(applied))


def test_frames_in_order_are_delivered_at_once() -> None:
    one = stream()
    assert times(one.on_news(news(3, 4, 5), 1)) == [4, 5]
    assert times(one.on_news(news(5, 6), 1)) == [6]
    assert one.applied == at(6)
    assert one.ask(0.0) is None


def test_messages_after_a_gap_wait_until_it_is_read_from_the_database() -> None:
    one = stream()
    assert one.on_news(news(5, 6), 1) == []
    assert one.on_news(news(6, 7), 1) == []
    assert one.ask(0.0) == Read(1, at(3), at(5))
    assert times(one.on_rows(said(4, 5), at(5))) == [4, 5, 6, 7]
    assert one.applied == at(7)
    assert not one.is_behind


def test_a_beat_shows_that_the_last_frame_was_lost() -> None:
    one = stream()
    assert one.on_news(news(5, last=9), 1) == []
    assert one.is_behind
    assert one.ask(0.0) == Read(1, at(3), at(5))
    assert times(one.on_rows(said(5), at(5))) == [5]
    assert not one.is_behind


def test_a_beat_advances_a_stream_without_gaps() -> None:
    one = stream()
    assert one.on_news(news(3, last=9), 1) == []
    assert one.applied == at(9)


def test_a_gap_is_read_only_as_far_as_it_is_settled() -> None:
    one = stream()
    one.on_news(news(6, 7, settled=3), 1)
    assert one.ask(0.0) is None
    one.on_news(news(7, settled=5), 1)
    assert one.ask(0.0) == Read(1, at(3), at(5))
    one.heal.done()
    assert times(one.on_rows(said(4), at(5))) == [4]
    assert one.ask(0.0) is None, "6 may be in an unfinished commit"
    one.on_news(news(7, settled=6), 1)
    assert one.ask(0.0) == Read(1, at(5), at(6))
    assert times(one.on_rows([], at(6))) == [7], "6 was refused"


def test_the_next_read_starts_after_a_page_of_rows() -> None:
    one = stream()
    one.on_news(news(8, 9), 1)
    assert one.ask(0.0) == Read(1, at(3), at(8))
    one.heal.done()
    assert times(one.on_rows(said(4, 5), at(5))) == [4, 5]
    assert one.ask(0.0) == Read(1, at(5), at(8))


def test_duplicate_and_late_messages_are_delivered_once() -> None:
    one = stream()
    one.on_news(news(3, 4, 5), 1)
    assert one.on_news(news(3, 4, 5), 1) == []
    assert one.on_news(news(3, 4), 1) == []
    assert one.on_rows(said(4, 5), at(5)) == []
    assert times(one.on_news(news(4, 5, 6), 1)) == [6]


def test_a_late_frame_closes_the_gap() -> None:
    one = stream()
    one.on_news(news(4, 5), 1)
    assert times(one.on_news(news(3, 4), 1)) == [4, 5]
    assert one.ask(0.0) is None


def test_frames_over_the_bound_of_held_frames_are_healed() -> None:
    one = stream(0)
    for ms in range(2, MAX_HELD_FRAMES + 4):
        one.on_news(news(ms - 1, ms), 1)
    assert one.held.refused == 2
    one.ask(0.0)
    one.heal.done()
    assert len(one.on_rows(said(1), at(1))) == MAX_HELD_FRAMES + 1
    assert one.ask(0.0) == Read(1, at(MAX_HELD_FRAMES + 1), at(MAX_HELD_FRAMES + 3))


def test_applied_messages_are_in_the_tail_until_they_are_settled() -> None:
    one = stream()
    one.on_news(news(3, 4, 5, settled=3), 1)
    assert times(list(one.tail.items)) == [4, 5]
    one.on_news(news(5, settled=4), 1)
    assert times(list(one.tail.items)) == [5]


def test_a_new_epoch_starts_when_the_rows_of_the_old_one_are_read() -> None:
    one = stream()
    one.on_news(news(3, 4, settled=3), 1)
    one.on_news(news(5, 6, settled=3), 1)
    assert one.on_news(news(20, 21, epoch=20), 1) == []
    assert not one.tail.items, "messages that the old process did not store are dropped"
    assert one.ask(0.0) == Read(1, at(4), at(20))
    assert times(one.on_rows(said(5), at(20))) == [5, 21], "6 was never stored"


def test_a_frame_of_an_old_epoch_is_ignored() -> None:
    one = stream()
    one.on_news(news(20, epoch=20), 1)
    assert one.on_news(news(3, 4, settled=3), 1) == []
    assert times(one.on_rows([], at(20))) == []
    assert one.applied == at(20)


def test_missing_messages_are_counted_as_far_as_known() -> None:
    one = stream()
    assert one.missing == 0
    one.on_news(news(5, 6, 7), 1)
    assert one.missing == 3, "the waiting ones, and at least one before them"
    one.on_rows(said(4, 5), at(5))
    assert one.missing == 0
    one.on_news(news(9, last=9), 1)
    assert one.missing == 1
