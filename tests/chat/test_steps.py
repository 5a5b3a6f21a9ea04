"""The wall clock is set while sockets with tokens are connected; on manual clocks."""

from __future__ import annotations

import logging

import pytest

from chatd.chat.config import ChatConfig
from chatd.chat.steps import EVERY_S, STEP_S, ClockSteps
from chatd.engineio.reasons import CloseReason
from tests.chat.rig import NOW, Rig, who

QUIET = ChatConfig(presence="off")
GOODBYE = ["desconexion", {"code": "token_expired", "message": "The token has expired."}]


def watched() -> Rig:
    rig = Rig(QUIET)
    ClockSteps(rig.namespace, lambda: rig.wall_s).start()
    return rig


def test_a_clock_set_ahead_ends_exactly_the_expired_tokens() -> None:
    """C-09"""
    rig = watched()
    brief, long = rig.enter(who("ana", expires_at=NOW + 3600)), rig.enter(who("eva", expires_at=NOW + 9000))
    eternal = rig.enter(who("root", "admin"))
    rig.wall_s += 7200
    rig.pass_seconds(EVERY_S + 0.1)
    assert (brief.events, brief.closed) == ([GOODBYE], CloseReason.RECONNECT)
    assert (long.closed, eternal.closed) == (None, None)
    rig.pass_seconds(1800)
    assert long.events == [GOODBYE], "its deadline was set by the new time"
    assert eternal.closed is None


def test_a_clock_set_ahead_and_back_ends_no_token_early() -> None:
    """C-09"""
    rig = watched()
    line = rig.enter(who("ana", expires_at=NOW + 3600))
    rig.wall_s += 1800
    rig.pass_seconds(EVERY_S + 0.1)
    rig.wall_s -= 1800
    rig.pass_seconds(3600 - EVERY_S - 1)
    assert line.closed is None
    rig.pass_seconds(1)
    assert line.events == [GOODBYE]


def test_small_corrections_that_add_up_count_as_a_step() -> None:
    """C-09: NTP moves the clock in small steps."""
    rig = watched()
    line = rig.enter(who("ana", expires_at=NOW + 1000))
    for _ in range(100):
        rig.pass_seconds(EVERY_S)
        rig.wall_s += STEP_S / 10
    assert rig.wall_s == pytest.approx(NOW + 505)
    rig.pass_seconds(495 - STEP_S)
    assert line.closed is None
    rig.pass_seconds(2 * STEP_S)
    assert line.events == [GOODBYE]


def test_a_step_is_logged_once_and_a_steady_clock_never(caplog: pytest.LogCaptureFixture) -> None:
    rig = watched()
    with caplog.at_level(logging.WARNING):
        rig.pass_seconds(10 * EVERY_S)
        assert caplog.records == []
        rig.wall_s -= 86_400
        rig.pass_seconds(10 * EVERY_S)
    [record] = caplog.records
    assert (record.getMessage(), record.step_s) == ("the wall clock was set", -86_400)  # type: ignore[attr-defined]
