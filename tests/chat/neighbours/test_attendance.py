"""N-39"""

from __future__ import annotations

from typing import Any

import pytest

from chatd.chat.neighbours.attendance import COUNT_S, WAIT_S, Attendance
from chatd.cluster.redis.wire import Command
from tests.clock import Clock

REQUESTS = "socket.io-request#/#"


class Place:
    """A Redis that answers at once, what waits for those who listen there, and a clock made by hand."""

    def __init__(self, subscribers: object = 3) -> None:
        self.clock = Clock()
        self.run: object = b"# Server\r\nredis_version:7.0.15\r\nrun_id:a1\r\n"
        self.subscribers = subscribers
        self.is_open = True
        self.resumed = 0
        self.another: list[bool] = []
        self.asked = 0
        self.attendance = Attendance(self.clock.timers(), self.ask, REQUESTS, self)
        self.attendance.open()
        self.clock.pass_seconds(COUNT_S + 0.1)

    def ask(self, on_answer: Any, question: Command, *arguments: str) -> None:
        self.asked += 1
        if question is Command.INFO:
            on_answer(self.run)
        else:
            assert arguments == ("NUMSUB", REQUESTS)
            on_answer([REQUESTS.encode(), self.subscribers] if isinstance(self.subscribers, int) else self.subscribers)

    def meet(self, *, another: bool) -> None:
        self.another.append(another)

    def resume(self) -> None:
        self.resumed += 1
        self.is_open = True

    def outage(self, run: object, subscribers: object) -> None:
        self.attendance.close()
        self.clock.pass_seconds(5)
        self.is_open = False
        self.run, self.subscribers = run, subscribers
        self.attendance.open()
        self.clock.pass_seconds(3 * WAIT_S)


def test_all_are_awaited_whom_a_redis_that_is_gone_had() -> None:
    place = Place(3)
    place.outage(b"run_id:b2\r\n", 2)
    assert (place.resumed, place.another) == (0, [False, True])
    place.subscribers = 3
    place.clock.pass_seconds(WAIT_S)
    assert place.resumed == 0, "a node subscribes with several commands"
    place.clock.pass_seconds(WAIT_S)
    assert place.resumed == 1
    place.clock.pass_seconds(5)
    assert place.resumed == 1


def test_one_that_comes_and_goes_is_awaited_again() -> None:
    place = Place(3)
    place.outage(b"run_id:b2\r\n", 2)
    for count in (3, 2, 3, 2):
        place.subscribers = count
        place.clock.pass_seconds(WAIT_S)
    assert place.resumed == 0


def test_those_that_come_in_between_are_awaited_too() -> None:
    place = Place(3)
    place.subscribers = 4
    place.clock.pass_seconds(COUNT_S)
    place.outage(b"run_id:b2\r\n", 3)
    assert place.resumed == 0


@pytest.mark.parametrize(
    "run", [b"# Server\r\nrun_id:a1\r\n", None, b"", 7], ids=["the same Redis", "refused", "empty", "a number"]
)
def test_a_redis_that_may_be_the_same_is_not_believed(run: object) -> None:
    """It counts connections that it has not missed yet; the fixed time is over some day."""
    place = Place(3)
    place.outage(run, 4)
    assert (place.resumed, place.another) == (0, [False, False])
    place.is_open = True
    place.clock.pass_seconds(COUNT_S)
    assert place.resumed == 0


@pytest.mark.parametrize("counted", [None, [], [REQUESTS.encode()], b"3", [REQUESTS.encode(), b"3"]])
def test_without_a_number_from_before_there_is_none_to_wait_for(counted: object) -> None:
    place = Place(counted)
    place.outage(b"run_id:b2\r\n", 3)
    assert place.resumed == 0


def test_after_its_end_nothing_is_asked() -> None:
    place = Place(3)
    place.attendance.close()
    place.attendance.close()
    asked = place.asked
    place.clock.pass_seconds(5)
    assert place.asked == asked > 0
