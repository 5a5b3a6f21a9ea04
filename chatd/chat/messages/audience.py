"""Who gets a message: section 2 of the rules. Pure. Rules C-05 to C-08 and C-19 of protocol.md."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, TypeVar

from chatd.auth import Identity
from chatd.socketio.rooms import Rooms
from chatd.store.base import Message

ADMINS: Final = "admins"

Member = TypeVar("Member", bound=Hashable)


def user_room(user: str) -> str:
    """The prefix keeps a user who is called `admins` out of the room of that name."""
    return f"user:{user}"


def rooms_of(user: str, *, is_admin: bool) -> tuple[str, ...]:
    """The rooms that a socket of `user` joins; there are no others."""
    return (user_room(user), ADMINS) if is_admin else (user_room(user),)


def recipients(para: str, *, supervised: bool) -> tuple[str, ...]:
    """The rooms that receive a message to `para`; admins get supervised messages too."""
    return (user_room(para), ADMINS) if supervised else (user_room(para),)


def online_users(rooms: Rooms[Member]) -> int:
    """How many users are connected: each is a room, and the admins are one more."""
    return len(rooms) - bool(rooms.members(ADMINS))


def receives(identity: Identity, message: Message) -> bool:
    """Whether a socket of `identity` is in one of the rooms that `message` goes to."""
    return message.para == identity.user or (message.supervisado and identity.is_admin)


def is_online_admin(rooms: Rooms[Member], user: str) -> bool:
    return not rooms.members(user_room(user)).isdisjoint(rooms.members(ADMINS))
