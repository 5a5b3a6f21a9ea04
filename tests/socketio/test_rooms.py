"""The room registry, compared with a model that is a set of (member, room) pairs."""

from __future__ import annotations

from collections.abc import Set

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chatd.socketio.rooms import Rooms

MEMBERS = range(5)
ROOMS = ("red", "green", "blue", "user:red", "")

member = st.sampled_from(MEMBERS)
room = st.sampled_from(ROOMS)


class RoomsMachine(RuleBasedStateMachine):
    """Each change of a room is announced once, before it happens, with the members until then."""

    def __init__(self) -> None:
        super().__init__()
        self.announced: list[set[int]] = []
        self.rooms: Rooms[int] = Rooms(self.before_change)
        self.pairs: list[tuple[int, str]] = []

    def before_change(self, members: Set[int]) -> None:
        assert any(members is self.rooms.members(room) for room in ROOMS), "the set that is sent to"
        self.announced.append(set(members))

    def members(self, room: str) -> set[int]:
        return {who for who, where in self.pairs if where == room}

    def rooms_of(self, member: int) -> list[str]:
        return [where for who, where in self.pairs if who == member]

    def expect(self, *changing: set[int]) -> None:
        """Check the rooms announced since the last call, compared by members; empty rooms are optional."""
        assert sorted(map(sorted, self.announced)) == sorted(sorted(members) for members in changing if members)
        self.announced.clear()

    @rule(member=member, room=room)
    def join(self, member: int, room: str) -> None:
        before = self.members(room)
        self.rooms.join(member, room)
        if (member, room) in self.pairs:
            self.expect()
        else:
            self.pairs.append((member, room))
            self.expect(before)

    @rule(member=member, room=room)
    def leave(self, member: int, room: str) -> None:
        before = self.members(room)
        self.rooms.leave(member, room)
        if (member, room) in self.pairs:
            self.pairs.remove((member, room))
            self.expect(before)
        else:
            self.expect()

    @rule(member=member)
    def leave_all(self, member: int) -> None:
        before = [self.members(room) for room in self.rooms_of(member)]
        self.rooms.leave_all(member)
        self.pairs = [(who, where) for who, where in self.pairs if who != member]
        self.expect(*before)

    @rule(rooms=st.lists(room))
    def union(self, rooms: list[str]) -> None:
        assert self.rooms.union(rooms) == {who for who, where in self.pairs if where in rooms}

    @invariant()
    def the_model_agrees(self) -> None:
        for room in ROOMS:
            assert self.rooms.members(room) == self.members(room)
        for member in MEMBERS:
            assert list(self.rooms.of(member)) == self.rooms_of(member)

    @invariant()
    def a_room_exists_as_long_as_somebody_is_in_it(self) -> None:
        assert len(self.rooms) == len({where for _, where in self.pairs})


TestRooms = RoomsMachine.TestCase


def test_a_union_is_a_copy() -> None:
    rooms: Rooms[int] = Rooms(lambda _: None)
    rooms.join(1, "red")
    rooms.union(["red"]).clear()
    assert rooms.members("red") == {1}


def test_a_room_that_became_empty_gets_a_new_set() -> None:
    """A pending broadcast must not reach later members through the old set."""
    rooms: Rooms[int] = Rooms(lambda _: None)
    rooms.join(1, "red")
    old = rooms.members("red")
    rooms.leave(1, "red")
    rooms.join(2, "red")
    assert rooms.members("red") == {2}
    assert not old


def test_a_lookup_does_not_create_a_room() -> None:
    rooms: Rooms[int] = Rooms(lambda _: None)
    assert not rooms.members("red")
    assert not rooms.union(["red", "green"])
    assert rooms.of(1) == ()
    assert len(rooms) == 0
