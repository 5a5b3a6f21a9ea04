"""One session on a manual clock, with a transport that records packets."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chatd.engineio.config import EngineConfig
from chatd.engineio.direct import NoDescriptor
from chatd.engineio.outbox import Outbox
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.packet import Packet, PacketType
from chatd.engineio.reasons import CloseReason
from chatd.engineio.session import Handshake, Session, State
from chatd.engineio.sid import Sid
from chatd.engineio.turns import Payer, Turns
from tests.clock import Clock
from tests.engineio.connections import connections

INTERVAL_S, TIMEOUT_S = 0.3, 0.2
MS = 0.001

PONG = Packet(PacketType.PONG)
HELLO = Packet(PacketType.MESSAGE, "hello")


class RecordingTransport(NoDescriptor):
    """Records packets with their time; reports its close when the test says so."""

    name = "recording"
    queued_bytes = 0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.payer: Payer = self
        self.credit = 0
        self.max_payload_bytes = 1_000_000
        self.sent: list[tuple[float, str]] = []
        self.closed: list[CloseReason] = []
        self.writable = True
        self.on_close: Callable[[CloseReason], None] = lambda reason: None

    def deliver(self, packets: Outgoing) -> None:
        self.sent += [(round(self._clock.now, 3), packet.text.decode()) for packet in packets.packets]

    def close(self, reason: CloseReason) -> None:
        self.closed.append(reason)
        self.on_close(reason)


class RecordingHandler:
    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.closed: list[CloseReason] = []
        self.on_message_then: Callable[[], None] = lambda: None

    def on_message(self, data: str | bytes) -> None:
        self.messages.append(data)
        self.on_message_then()

    def on_close(self, reason: CloseReason) -> None:
        self.closed.append(reason)


class Rig:
    """A session and its surroundings; times are seconds since its handshake."""

    def __init__(self) -> None:
        self.clock = Clock(1_000)
        self._passed_ms = 0
        self.turn: list[Callable[[], None]] = []
        self.transport = RecordingTransport(self.clock)
        self.handler = RecordingHandler()
        self.forgotten: list[Session] = []
        config = EngineConfig(ping_interval_s=INTERVAL_S, ping_timeout_s=TIMEOUT_S)
        self.connections = connections(config)
        self.timers = self.clock.timers()
        self.outbox = Outbox(self.turn.append)
        self.turns = Turns(self.clock.time, self.turn.append)
        self.session = Session(Sid("s"), self, config, self.timers, self.outbox, Handshake("", "", {}))
        self.session.transport = self.transport
        self.session.handler = self.handler
        self.transport.on_close = self.session.on_transport_closed

    def forget(self, session: Session) -> None:
        self.forgotten.append(session)

    def end_turn(self) -> None:
        while self.turn:
            self.turn.pop(0)()

    def pass_to(self, seconds: float) -> None:
        """Advance the time to `seconds` by steps of 1 ms, so that packets leave at once."""
        while self._passed_ms < round(seconds / MS):
            self._passed_ms += 1
            self.clock.pass_to(1_000 + self._passed_ms * MS)
            self.end_turn()

    @property
    def sent(self) -> list[tuple[float, str]]:
        return [(round(at - 1_000, 3), text) for at, text in self.transport.sent]

    def closed_between(self, early: float, late: float) -> CloseReason:
        """The reason of the close between `early` and `late`; fails if the session ends before."""
        self.pass_to(early - MS)
        assert self.handler.closed == []
        self.pass_to(late + MS)
        (reason,) = self.handler.closed
        return reason


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_session_is_pinged_after_the_interval_and_closed_after_the_timeout(rig: Rig) -> None:
    """E-20, E-21"""
    assert rig.closed_between(0.5, 0.5) is CloseReason.PING_TIMEOUT
    assert rig.sent == [(0.3, "2")]
    assert rig.transport.closed == [CloseReason.PING_TIMEOUT]
    assert rig.forgotten == [rig.session]
    assert rig.session.state is State.CLOSED
    assert rig.timers.armed() == 0


def test_the_next_ping_counts_from_the_pong(rig: Rig) -> None:
    """E-21"""
    rig.pass_to(0.4)
    rig.session.on_packet(PONG)
    rig.pass_to(0.8)
    rig.session.on_packet(PONG)
    assert rig.closed_between(1.3, 1.3) is CloseReason.PING_TIMEOUT
    assert rig.sent == [(0.3, "2"), (0.7, "2"), (1.1, "2")]


def test_a_client_that_answers_pings_stays_connected(rig: Rig) -> None:
    """E-21"""
    for beat in range(1, 200):
        rig.pass_to(beat * INTERVAL_S)
        rig.session.on_packet(PONG)
    assert len(rig.sent) == 199
    assert rig.session.state is State.OPEN
    assert rig.timers.armed() == 1


@pytest.mark.parametrize("data", ["", "probe", "anything"])
def test_a_pong_may_carry_anything(rig: Rig, data: str) -> None:
    """E-21"""
    rig.pass_to(0.35)
    rig.session.on_packet(Packet(PacketType.PONG, data))
    rig.pass_to(0.6)
    assert rig.session.state is State.OPEN


def test_unsolicited_pongs_change_nothing(rig: Rig) -> None:
    """E-22"""
    rig.pass_to(0.2)
    for _ in range(1_000):
        rig.session.on_packet(PONG)
    assert rig.timers.armed() == 1
    assert rig.closed_between(0.5, 0.5) is CloseReason.PING_TIMEOUT
    assert rig.sent == [(0.3, "2")]


def test_data_instead_of_a_pong_extends_the_deadline_once(rig: Rig) -> None:
    """E-23"""
    rig.pass_to(0.45)
    rig.session.on_packet(HELLO)
    rig.pass_to(0.6)
    rig.session.on_packet(HELLO)
    assert rig.closed_between(0.65, 0.65) is CloseReason.PING_TIMEOUT


def test_data_extends_the_deadline_again_for_the_next_ping(rig: Rig) -> None:
    """E-23"""
    rig.pass_to(0.45)
    rig.session.on_packet(HELLO)
    rig.pass_to(0.6)
    rig.session.on_packet(PONG)
    rig.pass_to(1.0)
    assert rig.sent == [(0.3, "2"), (0.9, "2")]
    rig.session.on_packet(HELLO)
    assert rig.closed_between(1.2, 1.2) is CloseReason.PING_TIMEOUT


def test_data_before_the_ping_changes_nothing(rig: Rig) -> None:
    """E-23"""
    rig.pass_to(0.2)
    rig.session.on_packet(HELLO)
    assert rig.closed_between(0.5, 0.5) is CloseReason.PING_TIMEOUT


def test_messages_reach_the_handler(rig: Rig) -> None:
    """E-24"""
    rig.session.on_packet(HELLO)
    rig.session.on_packet(Packet(PacketType.MESSAGE, b"\x01"))
    assert rig.handler.messages == ["hello", b"\x01"]


@pytest.mark.parametrize("kind", [PacketType.OPEN, PacketType.UPGRADE, PacketType.NOOP])
def test_packets_without_meaning_in_an_open_session_are_ignored(rig: Rig, kind: PacketType) -> None:
    """E-24"""
    rig.session.on_packet(Packet(kind, "x"))
    assert rig.session.state is State.OPEN
    assert rig.handler.messages == []


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(PacketType.CLOSE, CloseReason.TRANSPORT_CLOSE), (PacketType.PING, CloseReason.TRANSPORT_ERROR)],
)
def test_packets_that_end_a_session(rig: Rig, kind: PacketType, reason: CloseReason) -> None:
    """E-24"""
    rig.session.on_packet(Packet(kind))
    assert (rig.handler.closed, rig.transport.closed) == ([reason], [reason])
    rig.session.on_packet(HELLO)
    assert rig.handler.messages == []


def test_packets_leave_at_the_end_of_the_turn(rig: Rig) -> None:
    """E-25"""
    rig.session.send("a")
    rig.session.send(b"\x00")
    rig.session.send("ñ")
    assert rig.sent == []
    rig.end_turn()
    assert rig.sent == [(0, "4a"), (0, "bAA=="), (0, "4ñ")]


def test_packets_sent_before_the_close_leave_before_it(rig: Rig) -> None:
    """E-26"""
    sent_when_closed: list[tuple[float, str]] = []
    rig.transport.on_close = lambda reason: sent_when_closed.extend(rig.sent)
    rig.session.send("last words")
    rig.session.close(CloseReason.FORCED_CLOSE)
    assert sent_when_closed == [(0, "4last words")]


def test_a_closed_session_sends_and_receives_nothing(rig: Rig) -> None:
    """E-26"""
    rig.session.close(CloseReason.FORCED_CLOSE)
    rig.session.send("late")
    rig.session.on_packet(HELLO)
    rig.pass_to(2)
    assert rig.sent == []
    assert rig.handler.messages == []
    assert rig.timers.armed() == 0
    assert not rig.session.writable


def test_close_is_idempotent(rig: Rig) -> None:
    """E-26"""
    for reason in CloseReason:
        rig.session.close(reason)
    assert rig.handler.closed == [next(iter(CloseReason))]
    assert len(rig.transport.closed) == 1
    assert rig.forgotten == [rig.session]


def test_a_session_ends_when_its_transport_has_closed(rig: Rig) -> None:
    """E-26"""
    rig.transport.on_close = lambda reason: None
    states = []
    rig.session.close(CloseReason.SERVER_SHUTTING_DOWN)
    states.append(rig.session.state)
    assert rig.forgotten == []
    rig.session.on_transport_closed(CloseReason.TRANSPORT_CLOSE)
    states.append(rig.session.state)
    assert states == [State.CLOSING, State.CLOSED]
    assert rig.forgotten == [rig.session]
    assert rig.handler.closed == [CloseReason.SERVER_SHUTTING_DOWN]


def test_a_transport_that_ends_by_itself_ends_the_session(rig: Rig) -> None:
    """E-26"""
    rig.session.on_transport_closed(CloseReason.TRANSPORT_ERROR)
    assert rig.handler.closed == [CloseReason.TRANSPORT_ERROR]
    assert rig.transport.closed == []
    assert rig.forgotten == [rig.session]


def test_a_handler_may_close_the_session_in_on_message(rig: Rig) -> None:
    """E-26"""
    rig.handler.on_message_then = lambda: rig.session.close(CloseReason.FORCED_CLOSE)
    rig.session.send("before")
    rig.session.on_packet(HELLO)
    assert rig.sent == [(0, "4before")]
    assert rig.handler.closed == [CloseReason.FORCED_CLOSE]


def test_a_session_is_writable_while_its_transport_is(rig: Rig) -> None:
    assert rig.session.writable
    rig.transport.writable = False
    assert not rig.session.writable


def test_a_session_is_two_log_lines_without_payloads(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="chatd.engineio"):
        rig.session.on_packet(Packet(PacketType.MESSAGE, "secret"))
        rig.session.close(CloseReason.FORCED_CLOSE)
    (record,) = caplog.records
    assert (record.getMessage(), record.__dict__["reason"]) == ("session closed", "forced close")
    assert "secret" not in caplog.text


@dataclasses.dataclass
class Beat:
    """The heartbeat of the protocol notes, for one session."""

    ping_at: float | None = INTERVAL_S
    dead_at: float = INTERVAL_S + TIMEOUT_S
    extended: bool = False


class Life(RuleBasedStateMachine):
    """Any sequence of pongs, data and waiting, compared with a short model of the heartbeat."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.beat = Beat()
        self.pings: list[float] = []
        self.now = 0.0

    @property
    def dead(self) -> bool:
        return self.now >= self.beat.dead_at - MS / 2

    @rule(ms=st.integers(1, 250))
    def wait(self, ms: int) -> None:
        end = round(self.now + ms * MS, 3)
        if self.beat.ping_at is not None and end >= self.beat.ping_at - MS / 2 and not self.dead:
            self.pings.append(self.beat.ping_at)
            self.beat.ping_at = None
        self.now = end
        self.rig.pass_to(end)

    @rule()
    def pong(self) -> None:
        self.rig.session.on_packet(PONG)
        if not self.dead and self.beat.ping_at is None:
            self.beat = Beat(round(self.now + INTERVAL_S, 3), round(self.now + INTERVAL_S + TIMEOUT_S, 3))

    @rule()
    def data(self) -> None:
        self.rig.session.on_packet(HELLO)
        if not self.dead and self.beat.ping_at is None and not self.beat.extended:
            self.beat.dead_at = round(self.now + TIMEOUT_S, 3)
            self.beat.extended = True

    @invariant()
    def the_heartbeat_is_exact(self) -> None:
        assert self.rig.sent == [(at, "2") for at in self.pings]
        assert (self.rig.session.state is State.CLOSED) == self.dead
        assert self.rig.timers.armed() == (not self.dead)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=20)
