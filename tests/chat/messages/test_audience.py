"""Rooms as names, and who is in a union of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.chat.messages.audience import ADMINS, is_online_admin, recipients, rooms_of
from chatd.socketio.rooms import Rooms

people = st.lists(st.tuples(st.sampled_from(["ana", "admins", "root", "user:ana"]), st.booleans()), max_size=8)


def registry(sockets: list[tuple[str, bool]]) -> Rooms[int]:
    """Rooms with one numbered socket for each pair of user and whether it is an admin's."""
    rooms: Rooms[int] = Rooms(lambda members: None)
    for number, (user, is_admin) in enumerate(sockets):
        for room in rooms_of(user, is_admin=is_admin):
            rooms.join(number, room)
    return rooms


@pytest.mark.parametrize("user", ["ana", "admins", "user:ana", "", "*"])
def test_no_user_has_the_room_of_the_admins_for_its_own(user: str) -> None:
    """C-05"""
    assert ADMINS not in rooms_of(user, is_admin=False)
    assert ADMINS not in recipients(user, supervised=False)


@given(people, st.sampled_from(["ana", "admins", "root", "nobody"]), st.booleans())
def test_a_message_is_for_all_sockets_of_its_addressee_and_if_supervised_for_all_admins(
    sockets: list[tuple[str, bool]], para: str, supervised: bool
) -> None:
    """C-06, C-07"""
    expected = {number for number, (user, is_admin) in enumerate(sockets) if user == para or (supervised and is_admin)}
    assert registry(sockets).union(recipients(para, supervised=supervised)) == expected


@given(people, st.sampled_from(["ana", "admins", "root", "nobody"]))
def test_somebody_is_an_online_admin_by_any_of_its_sockets(sockets: list[tuple[str, bool]], user: str) -> None:
    """C-08"""
    assert is_online_admin(registry(sockets), user) == ((user, True) in sockets)
