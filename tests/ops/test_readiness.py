from __future__ import annotations

from chatd.ops.readiness import Readiness, ReadinessGate


def test_a_daemon_is_ready_after_its_start_and_until_its_stop() -> None:
    gate = ReadinessGate()
    assert (gate.is_open, gate.state.value) == (False, "starting")
    gate.state = Readiness.READY
    assert gate.is_open
    gate.state = Readiness.STOPPING
    assert (gate.is_open, gate.state.value) == (False, "stopping")
