from __future__ import annotations

from chatd.chat.nodes.states import Phase, State, States


def state(node: int, phase: Phase = Phase.READY) -> State:
    return State(node, "1.0", phase, 60, 3, 2, 1, "vAA")


def test_a_live_node_has_the_state_that_it_sends() -> None:
    """N-22"""
    states = States()
    states.hear(state(2, Phase.BEHIND), 10.0)
    states.hear(state(2), 11.0)
    [row] = states.rows({2: 0.25}, 11.5)
    assert (row.node, row.state, row.version, row.up_s, row.clients, row.users) == (2, Phase.READY, "1.0", 60, 3, 2)
    assert (row.silent_s, row.behind, row.position, row.asked) == (0.25, 1, "vAA", False)


def test_a_silent_node_is_lost_and_one_that_announced_its_end_has_ended() -> None:
    """N-21, N-22: only a lost node is reported as missing."""
    states = States()
    states.hear(state(2), 10.0)
    states.hear(state(3, Phase.ENDED), 10.0)
    assert [(row.node, row.state, row.silent_s) for row in states.rows({}, 14.0)] == [
        *((2, Phase.GONE, 4.0), (3, Phase.ENDED, 4.0))
    ]
    assert states.unended == {2}
    assert (states.has_ended(2), states.has_ended(3), states.has_ended(4)) == (False, True, False)


def test_a_node_that_returns_has_not_ended() -> None:
    states = States()
    states.hear(state(3, Phase.ENDED), 10.0)
    states.hear(state(3, Phase.BEHIND), 20.0)
    assert states.unended == {3}
    assert [row.state for row in states.rows({3: 0.0}, 20.0)] == [Phase.BEHIND]
