"""feed.py"""

from __future__ import annotations

import pytest

from chatd.chat.messages.feed import MAX_KEPT, MAX_KEPT_BYTES, Feed
from chatd.engineio.outgoing import OutgoingText
from chatd.store.base import Message, MessageId


def deliver(feed: Feed, *ids: int, size: int = 1) -> None:
    for number in ids:
        feed.position = MessageId(number)
        if feed.watchers:
            message = Message(feed.position, "ana", "eva", "x", 0, supervisado=True)
            feed.keep(message, OutgoingText(b"x" * size))


def kept(feed: Feed, after: int) -> list[int] | None:
    """None if the feed does not reach back to `after`."""
    position = MessageId(after)
    return [one.message.id for one in feed.after(position)] if feed.reaches(position) else None


def test_a_position_is_the_last_id() -> None:
    """C-35"""
    feed = Feed(MessageId(5))
    assert feed.position == 5
    deliver(feed, 7, 9)
    assert feed.position == 9


def test_delivered_messages_are_kept_while_the_feed_is_watched() -> None:
    """C-31"""
    feed = Feed(MessageId(0))
    deliver(feed, 1, 2)
    assert kept(feed, 2) is None
    feed.watch()
    deliver(feed, 3)
    feed.watch()
    deliver(feed, 5, 6)
    assert [kept(feed, after) for after in (1, 2, 3, 4, 6, 7)] == [None, [3, 5, 6], [5, 6], [5, 6], [], []]
    feed.unwatch()
    assert kept(feed, 3) == [5, 6]
    feed.unwatch()
    assert kept(feed, 6) is None
    feed.watch()
    assert (kept(feed, 5), kept(feed, 6)) == (None, [])


@pytest.mark.parametrize(("count", "size"), [(MAX_KEPT + 1, 1), (5, MAX_KEPT_BYTES // 4)])
def test_the_feed_is_bounded(count: int, size: int) -> None:
    """C-31: a client that falls behind the bound reads from the database again."""
    feed = Feed(MessageId(0))
    feed.watch()
    deliver(feed, *range(1, count + 1), size=size)
    assert kept(feed, 0) is None
    assert kept(feed, count - 1) == [count]
    assert len(feed._kept) <= MAX_KEPT
    assert sum(len(one.packet.frame) for one in feed._kept) <= MAX_KEPT_BYTES
