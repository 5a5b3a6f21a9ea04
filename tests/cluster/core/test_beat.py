from __future__ import annotations

from chatd.cluster.core.beat import BEAT_S, DEAF_S, Beats, Pulse


def test_a_beat_is_due_after_a_time_without_frames() -> None:
    beats = Beats(10.0)
    assert beats.is_due(10.0)
    beats.sent(10.0)
    assert not beats.is_due(10.0 + BEAT_S / 2)
    assert beats.is_due(10.0 + BEAT_S)


def test_a_requested_beat_is_due_at_once() -> None:
    beats = Beats(10.0)
    beats.sent(10.0)
    beats.hasten()
    assert beats.is_due(10.0)


def test_a_node_is_deaf_when_its_own_frames_do_not_come_back() -> None:
    pulse = Pulse()
    assert not pulse.is_deaf(1e9), "no frame was sent"
    pulse.sent(10.0)
    pulse.sent(10.0 + DEAF_S / 2)
    assert not pulse.is_deaf(10.0 + DEAF_S / 2)
    assert pulse.is_deaf(10.0 + DEAF_S), "a later frame does not extend the deadline"
    pulse.heard()
    assert not pulse.is_deaf(10.0 + DEAF_S)


def test_a_process_that_was_suspended_is_not_deaf() -> None:
    pulse = Pulse()
    pulse.sent(10.0)
    pulse.slept(6.0)
    assert not pulse.is_deaf(16.0)
    assert pulse.is_deaf(16.0 + DEAF_S)
