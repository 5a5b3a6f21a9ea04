"""The names and roles of all users who ever connected: the claims `name` and `admin`, stored at CONNECT. Rule D-04."""

from __future__ import annotations

import asyncio
import enum
import functools
import logging
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from chatd.auth import Identity
from chatd.base.tasks import Tasks
from chatd.chat.chat import Chat
from chatd.chat.feature import Feature
from chatd.chat.latest import RETRY_S, ROWS, Latest
from chatd.store.base import StoreError
from chatd.store.placeholders import numbered, rows
from chatd.store.words import fold

log = logging.getLogger("chatd.team")


class Role(enum.IntEnum):
    """The role of a user at its last connection: `nombres.admin`."""

    USER = 0
    ADMIN = 1
    SYSTEM = 2  # uses a key of the API, never a token


class Known(NamedTuple):
    """The stored name and role of a user."""

    nombre: str
    role: Role

    @property
    def is_admin(self) -> bool:
        return self.role is not Role.USER


class Names:
    """Stores names and roles, and answers from memory who is an admin."""

    def __init__(self, chat: Chat) -> None:
        self._store = chat.store
        self._is_online_admin = chat.supervision.is_online_admin
        self._admins: set[str] = set()
        self._known: Latest[Known] = Latest(chat, self._put, _warn)
        self._tasks = Tasks()
        self.loaded = asyncio.Event()
        chat.supervision.is_admin = self.is_admin
        chat.supervision.on_met = self._remember

    def begin(self) -> None:
        """Start to read the admins from the database; `loaded` is set when that is done."""
        self._tasks.start(self._load(), "admins")

    @property
    def feature(self) -> Feature:
        return Feature(events={}, on_join=lambda member: self.meet(member.identity), on_system=self.meet_system)

    def meet(self, identity: Identity) -> None:
        known = Known(identity.name, Role.ADMIN if identity.is_admin else Role.USER)
        self._remember(identity.user, known.is_admin)
        self._known.keep(identity.user, known)

    def meet_system(self, name: str) -> None:
        """Store a system of the API, unless a user of that name is known."""
        if self._known.find(name) is None:
            self._known.keep(name, Known(name, Role.SYSTEM))

    def is_admin(self, user: str) -> bool:
        """Whether `user` was an admin at its last connection to any node."""
        return user in self._admins or self._is_online_admin(user)

    async def look_up(self, users: Sequence[str]) -> dict[str, Known]:
        """The known ones of `users`. Raises StoreError."""
        found: dict[str, Known] = {}
        for start in range(0, len(users), ROWS):
            some = users[start : start + ROWS]
            known = await self._store.query(_look_up(len(some)), some)
            found |= {user: Known(nombre, Role(admin)) for user, nombre, admin in known}
        return found

    def _remember(self, user: str, is_admin: bool) -> None:
        (self._admins.add if is_admin else self._admins.discard)(user)

    async def _load(self) -> None:
        while not self.loaded.is_set():
            try:
                self._admins |= {user for (user,) in await self._store.query(_ADMINS)}
                self.loaded.set()
            except StoreError as error:
                log.warning("who is an admin cannot be read", extra={"code": error.code})
                await asyncio.sleep(RETRY_S)

    async def _put(self, some: Mapping[str, Known]) -> None:
        values: list[int | str | None] = []
        for user in sorted(some):  # the same order on every node, so that two nodes do not deadlock on the rows
            nombre, role = some[user]
            values += (user, nombre, role.value, searched(user, nombre))
        await self._store.run(_put(len(some)), values)


def _warn(error: StoreError) -> None:
    log.warning("names are not stored", extra={"code": error.code})


def searched(user: str, nombre: str) -> str:
    """The text that searches look in: user name and display name, folded, on two lines. No name holds a line end."""
    return f"{fold(user)}\n{fold(nombre)}"


@functools.cache
def _put(users: int) -> str:
    """The statement that stores that many users. Only numbers are inserted into the text."""
    return f"""
        INSERT INTO nombres (quien, nombre, admin, clave) VALUES {rows(users, 4)}
        ON CONFLICT (quien) DO UPDATE
        SET nombre = excluded.nombre, admin = excluded.admin, clave = excluded.clave
        WHERE (nombres.nombre <> excluded.nombre OR nombres.admin <> excluded.admin) AND excluded.admin <> {Role.SYSTEM}
    """  # noqa: S608


@functools.cache
def _look_up(users: int) -> str:
    numbers = numbered(users)
    return f"SELECT quien, nombre, admin FROM nombres WHERE quien IN ({numbers})"  # noqa: S608


_ADMINS: Final = "SELECT quien FROM nombres WHERE admin = 1"
