from __future__ import annotations

from chatd.cluster.core.heal import FIRST_PAUSE_S, LONGEST_PAUSE_S, Heal, Read
from tests.cluster.core.said import at

SETTLED = at(100)


def test_a_gap_is_read_once() -> None:
    heal = Heal(1)
    assert heal.ask(at(3), at(7), SETTLED, 0.0) == Read(1, at(3), at(7))
    assert heal.ask(at(3), at(9), SETTLED, 0.0) is None, "until there is an answer"
    heal.done()
    assert heal.ask(at(7), at(9), SETTLED, 0.0) == Read(1, at(7), at(9))


def test_without_a_gap_nothing_is_read() -> None:
    assert Heal(1).ask(at(7), at(7), SETTLED, 0.0) is None


def test_unsettled_messages_are_not_read() -> None:
    heal = Heal(1)
    assert heal.ask(at(3), at(7), at(3), 0.0) is None
    assert heal.ask(at(3), at(7), at(5), 0.0) == Read(1, at(3), at(5))


def test_a_failed_read_is_retried_after_growing_pauses() -> None:
    heal, now_s, pauses = Heal(1), 0.0, []
    for _ in range(8):
        assert heal.ask(at(3), at(7), SETTLED, now_s) is not None
        heal.failed(now_s)
        pause_s = next(ms / 1000 for ms in range(1, 5_000) if heal.ask(at(3), at(7), SETTLED, now_s + ms / 1000))
        heal.reading = None
        pauses.append(pause_s)
        now_s += pause_s
    assert pauses[0] == FIRST_PAUSE_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S


def test_a_successful_read_resets_the_pause() -> None:
    heal = Heal(1)
    for _ in range(5):
        heal.failed(0.0)
    heal.done()
    heal.failed(10.0)
    assert heal.ask(at(3), at(7), SETTLED, 10.0 + FIRST_PAUSE_S) is not None
