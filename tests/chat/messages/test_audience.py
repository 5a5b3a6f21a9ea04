"""Names of rooms, and the members of unions of rooms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.chat.messages.audience import ADMINS, is_online_admin, recipients, rooms_of
from chatd.socketio.rooms import Rooms

people = st.lists(st.tuples(st.sampled_from(["ana", "admins", "root", "user:ana"]), st.booleans()), max_size=8)


def registry(sockets: list[tuple[str, bool]]) -> Rooms[int]:
    """Rooms with one numbered socket for each pair (user, whether it is an admin)."""
    rooms: Rooms[int] = Rooms(lambda members: None)
    for number, (user, is_admin) in enumerate(sockets):
        for room in rooms_of(user, is_admin=is_admin):
            rooms.join(number, room)
    return rooms


@pytest.mark.parametrize("user", ["ana", "admins", "user:ana", "", "*"])
def test_no_user_s_room_is_the_room_of_the_admins(user: str) -> None:
    """C-05"""
    assert ADMINS not in rooms_of(user, is_admin=False)
    assert ADMINS not in recipients(user, supervised=False)


@given(people, st.sampled_from(["ana", "admins", "root", "nobody"]), st.booleans())
def test_a_message_goes_to_the_addressee_s_sockets_and_if_supervised_to_admins(
    sockets: list[tuple[str, bool]], para: str, supervised: bool
) -> None:
    """C-06, C-07"""
    expected = {number for number, (user, is_admin) in enumerate(sockets) if user == para or (supervised and is_admin)}
    assert registry(sockets).union(recipients(para, supervised=supervised)) == expected


@given(people, st.sampled_from(["ana", "admins", "root", "nobody"]))
def test_a_user_with_any_admin_socket_is_an_online_admin(sockets: list[tuple[str, bool]], user: str) -> None:
    """C-08"""
    assert is_online_admin(registry(sockets), user) == ((user, True) in sockets)
