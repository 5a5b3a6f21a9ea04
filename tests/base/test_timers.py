"""The timer wheel, on a manual clock."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chatd.base.timers import COARSE_FROM_S, COARSE_TICKS, MAX_STALE_TICKS, PUNCTUAL_TICKS, TICK_S, Timers
from tests.clock import Clock

EPSILON_S = 1e-6
DELAYS = st.floats(0, 3, allow_nan=False) | st.sampled_from([0.0, 0.001, 0.01, 0.2, 0.3, 1.0, 25.0])


def slack_s(delay_s: float) -> float:
    """How late a deadline after `delay_s` may come."""
    return TICK_S * (COARSE_TICKS if delay_s >= COARSE_FROM_S else 1) + EPSILON_S


class Deadline:
    """Records the time of each call, and then calls `then`."""

    __slots__ = ("clock", "due_tick", "seen", "then")

    def __init__(self, clock: Clock, then: Callable[[], None] = lambda: None) -> None:
        self.due_tick = 0
        self.clock = clock
        self.seen: list[float] = []
        self.then = then

    def on_deadline(self) -> None:
        self.seen.append(self.clock.now)
        self.then()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timers(clock: Clock) -> Timers:
    return clock.timers()


@given(st.floats(0, 1e6), DELAYS)
def test_a_deadline_never_comes_early_and_at_most_a_tick_late(start_s: float, delay_s: float) -> None:
    clock = Clock(start_s)
    deadline = Deadline(clock)
    clock.timers().arm(deadline, delay_s)
    clock.pass_seconds(delay_s + 1)
    (seen,) = deadline.seen
    # A deadline that is due at once waits for the next turn, one tick later.
    assert -EPSILON_S <= seen - (start_s + delay_s) <= max(slack_s(delay_s), TICK_S + EPSILON_S)


@given(st.lists(DELAYS, max_size=30))
def test_deadlines_come_earliest_first(delays_s: list[float]) -> None:
    clock = Clock()
    timers = clock.timers()
    deadlines = [Deadline(clock) for _ in delays_s]
    for deadline, delay_s in zip(deadlines, delays_s, strict=True):
        timers.arm(deadline, delay_s)
    assert timers.armed() == len(delays_s)
    clock.pass_seconds(30)
    for deadline, delay_s in zip(deadlines, delays_s, strict=True):
        (seen,) = deadline.seen
        assert -EPSILON_S <= seen - (1_000 + delay_s) <= slack_s(delay_s)
    assert timers.armed() == 0


def test_a_deadline_comes_once(clock: Clock, timers: Timers) -> None:
    deadline = Deadline(clock)
    timers.arm(deadline, 0.2)
    clock.pass_seconds(10)
    assert len(deadline.seen) == 1
    assert deadline.due_tick == 0


def test_a_cancelled_deadline_never_comes(clock: Clock, timers: Timers) -> None:
    deadline = Deadline(clock)
    timers.arm(deadline, 0.2)
    timers.cancel(deadline)
    timers.cancel(deadline)
    clock.pass_seconds(1)
    assert deadline.seen == []


def test_cancelling_an_unarmed_deadline_does_nothing(clock: Clock, timers: Timers) -> None:
    timers.cancel(Deadline(clock))
    assert timers.armed() == 0


@pytest.mark.parametrize(("first_s", "second_s"), [(0.2, 0.5), (0.5, 0.2), (0.2, 0.2), (5.0, 0.1)])
def test_arming_again_replaces(clock: Clock, timers: Timers, first_s: float, second_s: float) -> None:
    deadline = Deadline(clock)
    timers.arm(deadline, first_s)
    timers.arm(deadline, second_s)
    assert timers.armed() == 1
    clock.pass_seconds(10)
    assert deadline.seen == [pytest.approx(1_000 + second_s, abs=slack_s(second_s))]


def test_there_is_one_alarm_for_the_earliest(clock: Clock, timers: Timers) -> None:
    for delay_s in (0.5, 0.3, 0.4, 0.1, 0.2):
        timers.arm(Deadline(clock), delay_s)
        assert clock.alarms == 1
    clock.pass_seconds(0.6)
    assert clock.alarms == 0


def test_an_idle_wheel_sleeps(clock: Clock, timers: Timers) -> None:
    deadline = Deadline(clock)
    timers.arm(deadline, 25)
    assert clock.alarms == 1
    timers.cancel(deadline)
    clock.pass_seconds(30)
    assert clock.alarms == 0


def test_long_deadlines_share_their_ticks(clock: Clock, timers: Timers) -> None:
    for number in range(1_000):
        timers.arm(Deadline(clock), 25 + number / 10_000)
    assert len(timers._sets) <= 0.1 / (COARSE_TICKS * TICK_S) + 1


def test_a_deadline_that_raises_does_not_affect_others(
    clock: Clock, timers: Timers, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    deadlines = [Deadline(clock, fail) for _ in range(10)] + [Deadline(clock)]
    for deadline in deadlines:
        timers.arm(deadline, 0.2)
    later = Deadline(clock)
    timers.arm(later, 0.3)
    with caplog.at_level(logging.ERROR, logger="chatd.base.timers"):
        clock.pass_seconds(1)
    assert [len(deadline.seen) for deadline in (*deadlines, later)] == [1] * 12
    assert len(caplog.records) == 10


def test_a_deadline_may_set_itself_again(clock: Clock, timers: Timers) -> None:
    beat = Deadline(clock, lambda: timers.arm(beat, 0.25))
    timers.arm(beat, 0.25)
    clock.pass_seconds(1.1)
    assert beat.seen == [pytest.approx(1_000 + 0.25 * n, abs=TICK_S) for n in range(1, 5)]


def test_a_deadline_that_is_due_at_once_waits_for_the_next_tick(clock: Clock, timers: Timers) -> None:
    """A deadline that keeps asking for "now" must not stop everything else."""
    busy = Deadline(clock, lambda: timers.arm(busy, 0))
    other = Deadline(clock)
    timers.arm(busy, 0.1)
    timers.arm(other, 0.2)
    clock.pass_seconds(0.3)
    assert len(busy.seen) <= 0.2 / TICK_S + 2
    assert len(other.seen) == 1


def test_a_chain_of_deadlines_does_not_accumulate_delay(clock: Clock, timers: Timers) -> None:
    """The second deadline of a heartbeat counts from the instant at which the first was due."""
    clock.lateness_s = 0.004
    beat = Deadline(clock, lambda: timers.arm(beat, 0.2))
    timers.arm(beat, 0.2)
    clock.pass_seconds(2.1)
    assert beat.seen == [pytest.approx(1_000 + 0.2 * n + 0.004, abs=TICK_S) for n in range(1, 11)]


def test_a_blocked_loop_shortens_no_delay(clock: Clock, timers: Timers) -> None:
    clock.lateness_s = 0.5
    beat = Deadline(clock, lambda: timers.arm(beat, 0.2))
    timers.arm(beat, 0.2)
    clock.pass_seconds(2)
    first, second, *_ = beat.seen
    assert second - first >= 0.2 - PUNCTUAL_TICKS * TICK_S - EPSILON_S


def test_a_blocked_loop_does_not_change_the_order_of_deadlines(clock: Clock, timers: Timers) -> None:
    def again(beat: Deadline) -> Callable[[], None]:
        return lambda: timers.arm(beat, 0.2) if len(beat.seen) == 1 else None

    beats = [Deadline(clock) for _ in range(8)]
    for beat in beats:
        beat.then = again(beat)
        timers.arm(beat, 0.3)
        clock.pass_seconds(0.004)
    clock.lateness_s = 0.018
    clock.pass_to(1_000.34)
    clock.lateness_s = 0.0
    clock.pass_seconds(1)
    ends = [beat.seen[1] for beat in beats]
    assert ends == sorted(ends)


def test_a_deadline_armed_by_another_counts_from_now(clock: Clock, timers: Timers) -> None:
    clock.lateness_s = 0.004
    other = Deadline(clock)
    timers.arm(Deadline(clock, lambda: timers.arm(other, 0.2)), 0.2)
    clock.pass_seconds(1)
    assert other.seen[0] >= 1_000 + 0.2 + 0.004 + 0.2 - EPSILON_S


def test_a_deadline_may_cancel_another_of_the_same_tick(clock: Clock, timers: Timers) -> None:
    def cancel_all() -> None:
        for deadline in deadlines:
            timers.cancel(deadline)

    deadlines = [Deadline(clock, cancel_all) for _ in range(5)]
    for deadline in deadlines:
        timers.arm(deadline, 0.2)
    clock.pass_seconds(1)
    assert sum(len(deadline.seen) for deadline in deadlines) == 1


def test_a_deadline_may_postpone_another_of_the_same_tick(clock: Clock, timers: Timers) -> None:
    def put_off_the_rest() -> None:
        for deadline in deadlines:
            if not deadline.seen:
                timers.arm(deadline, 0.1)

    deadlines = [Deadline(clock, put_off_the_rest) for _ in range(4)]
    for deadline in deadlines:
        timers.arm(deadline, 0.1)
    clock.pass_seconds(1)
    seen = sorted(deadline.seen[0] for deadline in deadlines)
    assert [len(deadline.seen) for deadline in deadlines] == [1] * 4
    assert all(late - early >= 0.1 - EPSILON_S for early, late in itertools.pairwise(seen))


def test_overdue_deadlines_may_run_before_the_alarm(clock: Clock, timers: Timers) -> None:
    clock.lateness_s = 1.0
    early, late = Deadline(clock), Deadline(clock)
    timers.arm(early, 0.2)
    timers.arm(late, 0.4)
    clock.pass_seconds(0.1)
    timers.catch_up()
    assert early.seen == []
    clock.pass_seconds(0.2)
    timers.catch_up()
    assert (len(early.seen), late.seen) == (1, [])
    clock.pass_seconds(2)
    assert (len(early.seen), len(late.seen)) == (1, 1)


async def test_a_deadline_runs_on_the_real_loop() -> None:
    loop = asyncio.get_running_loop()
    rung = asyncio.Event()

    class Bell:
        due_tick = 0

        def on_deadline(self) -> None:
            rung.set()

    start = loop.time()
    Timers(loop.time, loop.call_at).arm(Bell(), 0.02)
    async with asyncio.timeout(5):
        await rung.wait()
    assert loop.time() - start >= 0.02 - EPSILON_S


class Wheel(RuleBasedStateMachine):
    """Any sequence of arming, cancelling and waiting, compared with a dictionary of due times."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.timers = self.clock.timers()
        self.deadlines = [Deadline(self.clock) for _ in range(6)]
        self.due: dict[int, tuple[float, float]] = {}  # the due time, and the tolerated delay

    @rule(which=st.integers(0, 5), delay_s=DELAYS)
    def arm(self, which: int, delay_s: float) -> None:
        self.timers.arm(self.deadlines[which], delay_s)
        self.due[which] = (self.clock.now + delay_s, max(slack_s(delay_s), 2 * TICK_S))

    @rule(which=st.integers(0, 5))
    def cancel(self, which: int) -> None:
        self.timers.cancel(self.deadlines[which])
        self.due.pop(which, None)

    @rule(seconds=st.floats(0, 2))
    def wait(self, seconds: float) -> None:
        self.clock.pass_seconds(seconds)
        for which, deadline in enumerate(self.deadlines):
            if deadline.seen:
                (seen,) = deadline.seen
                due, slack = self.due.pop(which)
                assert -EPSILON_S <= seen - due <= slack
                deadline.seen.clear()

    @invariant()
    def every_due_deadline_has_been_called(self) -> None:
        assert self.timers.armed() == len(self.due)
        assert all(due + slack > self.clock.now for due, slack in self.due.values())
        assert self.clock.alarms == bool(self.timers._ticks)


TestWheel = Wheel.TestCase
TestWheel.settings = settings(max_examples=150, stateful_step_count=30)


def test_cancelled_deadlines_are_freed(clock: Clock, timers: Timers) -> None:
    """For example deadlines of tokens that live for days, when clients connect and disconnect."""
    for second in range(3 * MAX_STALE_TICKS):
        deadline = Deadline(clock)
        timers.arm(deadline, 86_400.0 + second)
        timers.cancel(deadline)
    assert timers.armed() == 0
    assert len(timers._sets) == 0
    assert len(timers._ticks) <= MAX_STALE_TICKS + 1
