"""N-32, N-39"""

from __future__ import annotations

import pytest

from chatd.chat.neighbours import telling
from chatd.chat.neighbours.telling import RESUME_S, RETRY_S, Teller
from tests.clock import Clock


class Redis:
    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.is_there = True
        self.unconfirmed = 0

    def publish(self, _channel: str, data: bytes) -> bool:
        if self.is_there:
            self.heard.append(data)
            self.unconfirmed += 1
        return self.is_there


class Told:
    """A teller, on a manual clock."""

    def __init__(self, max_waiting: int = 3) -> None:
        self.clock, self.redis = Clock(), Redis()
        self.teller = Teller(self.clock.timers(), self.redis, max_waiting)

    def tell(self, *texts: bytes) -> None:
        for text in texts:
            self.teller.tell("channel", text)


def test_a_message_is_published_at_once() -> None:
    one = Told()
    one.teller.open(after_outage=False)
    one.tell(b"a", b"b")
    assert one.redis.heard == [b"a", b"b"]
    assert (one.teller.told, one.teller.dropped, one.clock.alarms) == (2, 0, 0)


def test_messages_before_the_first_connection_wait() -> None:
    one = Told()
    one.tell(b"a")
    one.teller.open(after_outage=False)
    assert one.redis.heard == [b"a"]


def test_after_an_outage_messages_wait_for_other_subscribers_in_order() -> None:
    one = Told()
    one.teller.open(after_outage=False)
    one.teller.close()
    one.tell(b"a")
    one.teller.open(after_outage=True)
    one.tell(b"b")
    one.clock.pass_seconds(RESUME_S - 0.2)
    assert one.redis.heard == []
    one.clock.pass_seconds(0.4)
    one.tell(b"c")
    assert one.redis.heard == [b"a", b"b", b"c"]


def test_it_waits_no_longer_when_all_are_there() -> None:
    one = Told()
    one.tell(b"a")
    one.teller.open(after_outage=True)
    assert not one.teller.is_open
    one.teller.resume()
    assert (one.redis.heard, one.teller.is_open, one.teller.due_tick) == ([b"a"], True, 0)


@pytest.mark.parametrize(("another", "again"), [(True, [b"b", b"c", b"d"]), (False, [b"d"])])
def test_what_a_redis_that_has_ended_did_not_confirm_is_told_again(another: bool, again: list[bytes]) -> None:
    one = Told(max_waiting=5)
    one.teller.open(after_outage=False)
    one.tell(b"a", b"b", b"c")
    one.teller.meet(another=False)
    one.redis.unconfirmed = 2
    one.teller.close()
    one.tell(b"d")
    one.redis.heard.clear()
    one.redis.unconfirmed = 0
    one.teller.open(after_outage=True)
    one.teller.meet(another=another)
    one.teller.resume()
    assert one.redis.heard == again
    assert (one.teller.told, one.teller.dropped) == (3 + len(again), 0)


def test_what_is_told_again_has_the_same_bounds() -> None:
    one = Told(max_waiting=3)
    one.teller.open(after_outage=False)
    one.tell(b"a", b"b", b"c")
    one.teller.close()
    one.tell(b"d")
    one.teller.open(after_outage=True)
    one.teller.meet(another=True)
    one.redis.heard.clear()
    one.teller.resume()
    assert one.redis.heard == [b"b", b"c", b"d"]
    assert (one.teller.told, one.teller.dropped) == (3 + 3, 1)


def test_a_second_outage_restarts_the_wait() -> None:
    one = Told()
    one.tell(b"a")
    one.teller.open(after_outage=True)
    one.clock.pass_seconds(RESUME_S - 0.2)
    one.teller.close()
    one.clock.pass_seconds(RESUME_S)
    assert one.redis.heard == []
    one.teller.open(after_outage=True)
    one.clock.pass_seconds(RESUME_S + 0.2)
    assert one.redis.heard == [b"a"]


def test_over_the_bound_the_oldest_messages_are_dropped_and_counted() -> None:
    one = Told(max_waiting=2)
    one.tell(b"a", b"b", b"c")
    one.teller.open(after_outage=False)
    assert one.redis.heard == [b"b", b"c"]
    assert (one.teller.told, one.teller.dropped) == (2, 1)


def test_the_bound_may_be_0() -> None:
    one = Told(max_waiting=0)
    one.tell(b"a")
    one.teller.open(after_outage=False)
    assert (one.redis.heard, one.teller.dropped) == ([], 1)


def test_the_bytes_of_waiting_messages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "MAX_WAITING_BYTES", 10)
    one = Told()
    one.tell(b"aaaaa", b"bbbbb", b"c")
    one.teller.open(after_outage=False)
    assert one.redis.heard == [b"bbbbb", b"c"]


def test_a_message_that_redis_refuses_is_published_again() -> None:
    one = Told()
    one.teller.open(after_outage=False)
    one.redis.is_there = False
    one.tell(b"a", b"b")
    one.clock.pass_seconds(3 * RETRY_S)
    assert one.redis.heard == []
    one.redis.is_there = True
    one.clock.pass_seconds(2 * RETRY_S)
    assert one.redis.heard == [b"a", b"b"]
    assert one.clock.alarms == 0
