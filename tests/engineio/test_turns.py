"""The budgets of payers, on a loop whose turns a test ends, and connections with packets to handle."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from chatd.engineio.turns import BUDGET, CHUNK, TURN_S, UNITS_PER_S, Payer, Turns
from tests.clock import Clock


class Loop:
    """A loop, and the packets that its turns handle."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._soon: list[Callable[[], None]] = []
        self.worked = Clock()
        self.turns = Turns(self.clock.time, self._soon.append, worked_s=self.worked.time)
        self.handled: list[str] = []

    def turn(self) -> list[str]:
        """Run one turn; return the packets that it handled."""
        self.handled.clear()
        callbacks, self._soon[:] = list(self._soon), []
        for callback in callbacks:
            callback()
        return list(self.handled)

    @property
    def idle(self) -> bool:
        return not self._soon


class Peer:
    """A connection whose packets are strings."""

    def __init__(self, loop: Loop, payer: Payer) -> None:
        self._loop = loop
        self.payer = payer
        self.credit = 0
        self.waits = False
        self.packets: deque[str] = deque()

    def sends(self, packet: str, count: int = 1) -> None:
        self.packets.extend([packet] * count)
        if not self.waits:
            self._handle()

    def on_turn(self) -> None:
        assert self.credit > 0
        self.waits = False
        self._handle()

    def _handle(self) -> None:
        while self.packets:
            if self.credit <= 0 and not self._loop.turns.draw(self):
                self.waits = True
                return
            self.credit -= 1
            self._loop.handled.append(self.packets.popleft())


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_a_payer_has_one_quantum_in_a_turn(loop: Loop) -> None:
    """L-16"""
    Peer(loop, "ana").sends("a", 10 * BUDGET)
    assert len(loop.handled) == BUDGET
    assert [len(loop.turn()) for _ in range(10)] == [BUDGET] * 9 + [0]
    assert loop.idle


def test_connections_of_one_payer_share_its_budget(loop: Loop) -> None:
    """L-16: fifty sockets of a user share one quantum"""
    for number in range(50):
        Peer(loop, "ana").sends(str(number), 1_000)
    assert len(loop.handled) == BUDGET
    served = [loop.turn() for _ in range(50 * CHUNK // BUDGET + 1)]
    assert {len(handled) for handled in served} == {BUDGET}
    assert {name for handled in served for name in handled} == {str(number) for number in range(50)}


def test_another_payer_is_served_at_once_during_a_flood(loop: Loop) -> None:
    """L-16"""
    for _ in range(900):
        Peer(loop, "203.0.113.7").sends("flood", 1_000)
    loop.turn()
    Peer(loop, "ana").sends("hello")
    assert loop.handled[-1] == "hello"


def test_waiting_payers_are_served_round_robin(loop: Loop) -> None:
    """L-16"""
    for name in "abc":
        Peer(loop, name).sends(name, 3 * BUDGET)
    for _ in range(2):
        assert sorted(set(loop.turn())) == ["a", "b", "c"]
    assert loop.turn() == []


def test_a_turn_over_its_time_gives_no_more_credit(loop: Loop) -> None:
    """L-16: whatever the cost of the packets"""
    slow = Peer(loop, "ana")
    slow.sends("a")
    loop.clock.pass_seconds(TURN_S)
    late = [Peer(loop, name) for name in "bcd"]
    for peer in late:
        peer.sends(str(peer.payer))
    assert loop.handled == ["a"]
    assert loop.turn() == ["b", "c", "d"]


def test_every_turn_serves_some_waiting_payers(loop: Loop) -> None:
    """L-16: even if each takes the whole time of a turn"""

    class Slow(Peer):
        def on_turn(self) -> None:
            super().on_turn()
            loop.clock.pass_seconds(2 * TURN_S)

    peers = [Slow(loop, name) for name in "abc"]
    loop.turns.draw(Peer(loop, "first"))
    loop.clock.pass_seconds(TURN_S)
    for peer in peers:
        peer.sends(str(peer.payer))
    assert [loop.turn() for _ in range(3)] == [["a"], ["b"], ["c"]]


def test_the_cost_over_one_turn_is_charged_to_the_next_turns(loop: Loop) -> None:
    """L-16"""
    peer = Peer(loop, "ana")
    peer.sends("a")
    loop.turns.charge(peer, 3 * BUDGET)
    peer.sends("b")
    assert loop.handled == ["a"]
    assert [loop.turn() for _ in range(3)] == [[], [], ["b"]]
    other = Peer(loop, "eva")
    other.sends("c")
    assert loop.handled[-1] == "c"


def test_a_debt_outlives_its_connection(loop: Loop) -> None:
    """L-16: otherwise a client could reset its debt by reconnecting"""
    peer = Peer(loop, "203.0.113.7")
    peer.sends("a")
    loop.turns.charge(peer, 10 * BUDGET)
    del peer
    Peer(loop, "203.0.113.7").sends("b")
    assert [handled for handled in (loop.turn() for _ in range(12)) if handled] == [["b"]]


def test_bytes_read_are_charged_like_packets(loop: Loop) -> None:
    """L-16"""
    peer = Peer(loop, "ana")
    peer.credit -= BUDGET + 1
    peer.sends("a", 2)
    assert loop.handled == ["a", "a"]
    Peer(loop, "ana").sends("b")
    assert loop.handled == ["a", "a"]
    assert loop.turn() == ["b"]


def test_idle_payers_are_deleted(loop: Loop) -> None:
    for number in range(1_000):
        Peer(loop, number).sends("a")
    assert len(loop.turns) == 1_000
    loop.turn()
    assert (len(loop.turns), loop.idle) == (0, True)


def test_a_connection_that_raises_does_not_affect_others(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Peer):
        def on_turn(self) -> None:
            raise RuntimeError("a bug")

    Peer(loop, "ana").sends("a", BUDGET)
    Broken(loop, "ana").sends("b", 1)
    Peer(loop, "ana").sends("c", 1)
    assert loop.turn() == ["c"]
    assert "a connection failed in its turn" in caplog.text


def test_waits_of_connections_are_counted(loop: Loop) -> None:
    Peer(loop, "ana").sends("a", 2 * BUDGET)
    assert loop.turns.waits == 1
    loop.turn()
    assert loop.turns.waits == 1


def test_work_is_charged_by_its_duration(loop: Loop) -> None:
    peer = Peer(loop, "ana")
    started = loop.turns.start()
    loop.worked.pass_seconds(2.9 * BUDGET / UNITS_PER_S)
    loop.turns.finish(peer, started)
    peer.sends("a")
    assert [loop.turn() for _ in range(2)] == [[], ["a"]]


def test_a_charge_during_the_work_is_not_counted_twice(loop: Loop) -> None:
    peer = Peer(loop, "ana")
    started = loop.turns.start()
    inner = loop.turns.start()
    loop.worked.pass_seconds(2.9 * BUDGET / UNITS_PER_S)
    loop.turns.charge(peer, BUDGET)
    loop.turns.finish(peer, inner)
    loop.turns.finish(peer, started)
    peer.sends("a")
    assert [loop.turn() for _ in range(2)] == [[], ["a"]]


def test_work_faster_than_its_price_is_not_refunded(loop: Loop) -> None:
    peer = Peer(loop, "ana")
    started = loop.turns.start()
    loop.turns.charge(peer, BUDGET)
    loop.turns.finish(peer, started)
    peer.sends("a")
    assert not loop.handled
    assert loop.turn() == ["a"]
