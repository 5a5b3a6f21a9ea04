"""The packets that a turn of the loop sends, compared with a model that sends every packet at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chatd.engineio.direct import NoDescriptor, Recipient
from chatd.engineio.outbox import Outbox
from chatd.engineio.outgoing import Outgoing, OutgoingPacket, outgoing
from chatd.engineio.packet import Packet, PacketType

NAMES = ("a", "b", "c", "d", "e")
ROOMS = ("red", "green", "blue")

name = st.sampled_from(NAMES)
room = st.sampled_from(ROOMS)


def message(text: str) -> OutgoingPacket:
    return outgoing(Packet(PacketType.MESSAGE, text))


class Turn:
    """Replaces the event loop: keeps the calls for the end of the turn."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def end(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Listener(NoDescriptor):
    """A recipient that is its own transport: it records packets and writes, and then runs a callback."""

    def __init__(self) -> None:
        self.writes: list[Outgoing] = []
        self.then: Callable[[], None] = lambda: None

    @property
    def transport(self) -> Listener:
        return self

    def deliver(self, packets: Outgoing) -> None:
        self.writes.append(packets)
        self.then()

    @property
    def texts(self) -> list[str]:
        return [packet.text.decode() for write in self.writes for packet in write.packets]


def listeners(count: int) -> tuple[Turn, Outbox, list[Listener]]:
    turn = Turn()
    return turn, Outbox(turn.call_soon), [Listener() for _ in range(count)]


def test_one_turn_is_one_write() -> None:
    turn, outbox, (a, b) = listeners(2)
    room: set[Recipient] = {a, b}
    outbox.send(a, message("1"))
    outbox.broadcast(room, message("2"))
    outbox.send(a, message("3"))
    assert a.writes == b.writes == []
    turn.end()
    assert (a.texts, b.texts) == (["41", "42", "43"], ["42"])
    assert (len(a.writes), len(b.writes)) == (1, 1)


def test_one_turn_calls_call_soon_once() -> None:
    turn, outbox, (a, b) = listeners(2)
    outbox.send(a, message("1"))
    outbox.broadcast({a, b}, message("2"))
    outbox.broadcast({b}, message("3"))
    outbox.send(b, message("4"))
    assert len(turn.calls) == 1
    turn.end()
    assert turn.calls == []


def test_a_broadcast_is_the_same_object_for_every_recipient() -> None:
    turn, outbox, (a, b, c) = listeners(3)
    room: set[Recipient] = {a, b, c}
    for text in ("1", "2", "3"):
        outbox.broadcast(room, message(text))
    turn.end()
    assert a.writes[0].frame is b.writes[0].frame is c.writes[0].frame


def test_mixed_broadcasts_are_joined_once_for_recipients_of_the_same_packets() -> None:
    turn, outbox, (a, b, c) = listeners(3)
    red: set[Recipient] = {a, b, c}
    green: set[Recipient] = {a, b}
    outbox.broadcast(red, message("1"))
    outbox.broadcast(green, message("2"))
    outbox.broadcast(red, message("3"))
    turn.end()
    assert a.texts == b.texts == ["41", "42", "43"]
    assert c.texts == ["41", "43"]


def test_a_single_packet_is_delivered_as_it_is() -> None:
    turn, outbox, (a,) = listeners(1)
    packet = message("1")
    outbox.send(a, packet)
    turn.end()
    assert a.writes == [packet]


def test_a_later_member_does_not_get_an_earlier_broadcast() -> None:
    turn, outbox, (a, b) = listeners(2)
    room: set[Recipient] = {a}
    outbox.broadcast(room, message("1"))
    outbox.before_change(room)
    room.add(b)
    outbox.broadcast(room, message("2"))
    turn.end()
    assert (a.texts, b.texts) == (["41", "42"], ["42"])


def test_a_member_that_leaves_still_gets_an_earlier_broadcast() -> None:
    turn, outbox, (a, b) = listeners(2)
    room: set[Recipient] = {a, b}
    outbox.broadcast(room, message("1"))
    outbox.before_change(room)
    room.discard(b)
    outbox.broadcast(room, message("2"))
    turn.end()
    assert (a.texts, b.texts) == (["41", "42"], ["41"])


def test_two_rooms_with_the_same_members_are_two_audiences() -> None:
    turn, outbox, (a, b) = listeners(2)
    red: set[Recipient] = {a, b}
    green: set[Recipient] = {a, b}
    outbox.broadcast(red, message("1"))
    outbox.broadcast(green, message("2"))
    outbox.before_change(green)
    green.discard(b)
    outbox.broadcast(green, message("3"))
    turn.end()
    assert (a.texts, b.texts) == (["41", "42", "43"], ["41", "42"])


def test_a_broadcast_without_members_does_nothing() -> None:
    turn, outbox, (a,) = listeners(1)
    outbox.broadcast(set(), message("1"))
    turn.end()
    assert a.writes == []


def test_flushing_one_recipient_keeps_the_packets_of_others() -> None:
    turn, outbox, (a, b) = listeners(2)
    room: set[Recipient] = {a, b}
    outbox.send(a, message("1"))
    outbox.broadcast(room, message("2"))
    outbox.flush_one(a)
    assert (a.texts, b.texts) == (["41", "42"], [])
    outbox.send(b, message("3"))
    turn.end()
    assert (a.texts, b.texts) == (["41", "42"], ["42", "43"])


def test_packets_sent_during_a_delivery_leave_in_the_next_turn() -> None:
    turn, outbox, (a, b) = listeners(2)
    a.then = lambda: outbox.send(b, message("2"))
    outbox.send(a, message("1"))
    turn.end()
    assert b.texts == []
    turn.end()
    assert b.texts == ["42"]


def test_a_member_may_leave_during_a_broadcast() -> None:
    turn, outbox, members = listeners(5)
    room: set[Recipient] = set(members)

    def everybody_leaves() -> None:
        outbox.before_change(room)
        room.clear()

    for member in members:
        member.then = everybody_leaves
    outbox.broadcast(room, message("1"))
    outbox.broadcast(room, message("2"))
    turn.end()
    assert [member.texts for member in members] == [["41", "42"]] * 5


class Traffic(RuleBasedStateMachine):
    """Any sequence of sends, broadcasts, joins, leaves, ends and turns, compared with plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = Turn()
        self.outbox = Outbox(self.turn.call_soon)
        self.people = {name: Listener() for name in NAMES}
        self.rooms: dict[str, set[Recipient]] = {room: set() for room in ROOMS}
        self.expected: dict[str, list[str]] = {name: [] for name in NAMES}
        self.gone: set[str] = set()
        self.numbers: Iterator[int] = iter(range(1_000_000))

    def members(self, room: str) -> list[str]:
        return [name for name, listener in self.people.items() if listener in self.rooms[room]]

    def next_text(self) -> str:
        return str(next(self.numbers))

    @initialize(places=st.sets(st.tuples(name, room)))
    def some_are_in_rooms(self, places: set[tuple[str, str]]) -> None:
        for who, where in places:
            self.rooms[where].add(self.people[who])

    @rule(who=name)
    def send(self, who: str) -> None:
        if who not in self.gone:
            text = self.next_text()
            self.outbox.send(self.people[who], message(text))
            self.expected[who].append("4" + text)

    @rule(where=room, times=st.integers(1, 4))
    def broadcast(self, where: str, times: int) -> None:
        for _ in range(times):
            text = self.next_text()
            self.outbox.broadcast(self.rooms[where], message(text))
            for who in self.members(where):
                self.expected[who].append("4" + text)

    @rule(who=name, where=room)
    def join(self, who: str, where: str) -> None:
        if who not in self.gone:
            self.outbox.before_change(self.rooms[where])
            self.rooms[where].add(self.people[who])

    @rule(who=name, where=room)
    def leave(self, who: str, where: str) -> None:
        self.outbox.before_change(self.rooms[where])
        self.rooms[where].discard(self.people[who])

    @rule(who=name)
    def close(self, who: str) -> None:
        self.outbox.flush_one(self.people[who])
        assert self.people[who].texts == self.expected[who]
        for where in ROOMS:
            self.leave(who, where)
        self.gone.add(who)

    @rule()
    def end_of_turn(self) -> None:
        writes = {who: len(listener.writes) for who, listener in self.people.items()}
        self.turn.end()
        for who, listener in self.people.items():
            assert len(listener.writes) - writes[who] <= 1
            assert listener.texts == self.expected[who]

    @invariant()
    def every_recipient_gets_its_packets_in_order(self) -> None:
        for who, listener in self.people.items():
            assert listener.texts == self.expected[who][: len(listener.texts)]

    def teardown(self) -> None:
        self.end_of_turn()


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=200, stateful_step_count=30)
