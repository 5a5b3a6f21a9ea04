"""The budgets of payers, with a loop whose turns a test ends, and connections that have packets to be handled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from chatd.engineio.turns import BUDGET, CHUNK, TURN_S, UNITS_PER_S, Payer, Turns
from tests.clock import Clock


class Loop:
    """The turns of a loop, and what is done in them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._soon: list[Callable[[], None]] = []
        self.worked = Clock()
        self.turns = Turns(self.clock.time, self._soon.append, worked_s=self.worked.time)
        self.handled: list[str] = []

    def turn(self) -> list[str]:
        """Run one; what it has handled."""
        self.handled.clear()
        callbacks, self._soon[:] = list(self._soon), []
        for callback in callbacks:
            callback()
        return list(self.handled)

    @property
    def idle(self) -> bool:
        return not self._soon


class Peer:
    """A connection whose packets are names."""

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

    def go_on(self) -> None:
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
    """L-16: fifty sockets of a user get no more than one"""
    for number in range(50):
        Peer(loop, "ana").sends(str(number), 1_000)
    assert len(loop.handled) == BUDGET
    served = [loop.turn() for _ in range(50 * CHUNK // BUDGET + 1)]
    assert {len(handled) for handled in served} == {BUDGET}
    assert {name for handled in served for name in handled} == {str(number) for number in range(50)}


def test_somebody_else_is_served_at_once_beside_a_flood(loop: Loop) -> None:
    """L-16"""
    for _ in range(900):
        Peer(loop, "203.0.113.7").sends("flood", 1_000)
    loop.turn()
    Peer(loop, "ana").sends("hello")
    assert loop.handled[-1] == "hello"


def test_payers_that_wait_take_turns(loop: Loop) -> None:
    """L-16"""
    for name in "abc":
        Peer(loop, name).sends(name, 3 * BUDGET)
    for _ in range(2):
        assert sorted(set(loop.turn())) == ["a", "b", "c"]
    assert loop.turn() == []


def test_a_turn_that_has_lasted_long_gives_no_more_credit(loop: Loop) -> None:
    """L-16: whatever the packets cost"""
    slow = Peer(loop, "ana")
    slow.sends("a")
    loop.clock.pass_seconds(TURN_S)
    late = [Peer(loop, name) for name in "bcd"]
    for peer in late:
        peer.sends(str(peer.payer))
    assert loop.handled == ["a"]
    assert loop.turn() == ["b", "c", "d"]


def test_of_those_that_wait_some_are_served_in_every_turn(loop: Loop) -> None:
    """L-16: also where each takes the whole time of a turn"""

    class Slow(Peer):
        def go_on(self) -> None:
            super().go_on()
            loop.clock.pass_seconds(2 * TURN_S)

    peers = [Slow(loop, name) for name in "abc"]
    loop.turns.draw(Peer(loop, "first"))
    loop.clock.pass_seconds(TURN_S)
    for peer in peers:
        peer.sends(str(peer.payer))
    assert [loop.turn() for _ in range(3)] == [["a"], ["b"], ["c"]]


def test_work_that_costs_more_than_a_turn_is_paid_off_in_the_next_ones(loop: Loop) -> None:
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


def test_a_debt_is_not_forgotten_with_its_connection(loop: Loop) -> None:
    """L-16: else a client would only have to come back"""
    peer = Peer(loop, "203.0.113.7")
    peer.sends("a")
    loop.turns.charge(peer, 10 * BUDGET)
    del peer
    Peer(loop, "203.0.113.7").sends("b")
    assert [handled for handled in (loop.turn() for _ in range(12)) if handled] == [["b"]]


def test_bytes_that_were_read_are_paid_for_like_packets(loop: Loop) -> None:
    """L-16"""
    peer = Peer(loop, "ana")
    peer.credit -= BUDGET + 1
    peer.sends("a", 2)
    assert loop.handled == ["a", "a"]
    Peer(loop, "ana").sends("b")
    assert loop.handled == ["a", "a"]
    assert loop.turn() == ["b"]


def test_nothing_is_kept_of_those_who_are_quiet(loop: Loop) -> None:
    for number in range(1_000):
        Peer(loop, number).sends("a")
    assert len(loop.turns) == 1_000
    loop.turn()
    assert (len(loop.turns), loop.idle) == (0, True)


def test_a_connection_that_fails_takes_nobody_along(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Peer):
        def go_on(self) -> None:
            raise RuntimeError("a bug")

    Peer(loop, "ana").sends("a", BUDGET)
    Broken(loop, "ana").sends("b", 1)
    Peer(loop, "ana").sends("c", 1)
    assert loop.turn() == ["c"]
    assert "a connection failed in its turn" in caplog.text


def test_how_often_a_connection_waits_is_counted(loop: Loop) -> None:
    Peer(loop, "ana").sends("a", 2 * BUDGET)
    assert loop.turns.waits == 1
    loop.turn()
    assert loop.turns.waits == 1


def test_work_is_paid_for_by_the_time_that_it_took(loop: Loop) -> None:
    peer = Peer(loop, "ana")
    started = loop.turns.start()
    loop.worked.pass_seconds(2.9 * BUDGET / UNITS_PER_S)
    loop.turns.finish(peer, started)
    peer.sends("a")
    assert [loop.turn() for _ in range(2)] == [[], ["a"]]


def test_what_was_charged_meanwhile_is_not_paid_for_twice(loop: Loop) -> None:
    peer = Peer(loop, "ana")
    started = loop.turns.start()
    inner = loop.turns.start()
    loop.worked.pass_seconds(2.9 * BUDGET / UNITS_PER_S)
    loop.turns.charge(peer, BUDGET)
    loop.turns.finish(peer, inner)
    loop.turns.finish(peer, started)
    peer.sends("a")
    assert [loop.turn() for _ in range(2)] == [[], ["a"]]


def test_work_that_took_less_than_its_price_gives_nothing_back(loop: Loop) -> None:
    peer = Peer(loop, "ana")
    started = loop.turns.start()
    loop.turns.charge(peer, BUDGET)
    loop.turns.finish(peer, started)
    peer.sends("a")
    assert not loop.handled
    assert loop.turn() == ["a"]
