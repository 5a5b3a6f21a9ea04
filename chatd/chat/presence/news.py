"""Tells admins which users come online and go offline. Rules C-44 and C-47 of protocol.md.

What happens within a tenth of a second is told in one write to each admin. So a storm of 10,000 arrivals costs each of
them some fifty writes and not 10,000, and what waits for an admin stays far below the bound of a connection.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

import msgspec

from chatd.chat.messages.audience import ADMINS
from chatd.socketio.namespace import Namespace
from chatd.socketio.packet import PreparedEvent

GATHER_S: Final = 0.1
MAX_TOLD: Final = 200
"""At a time: with the longest names 120 KB, with common ones 15 KB."""


class Presencia(msgspec.Struct, frozen=True, gc=False):
    """`presencia`."""

    user: str
    en_linea: bool
    visto: int


class News:
    """Changes not yet sent to admins: the last state of each user. They are sent at its deadline."""

    def __init__(self, namespace: Namespace) -> None:
        self.due_tick = 0
        self._namespace = namespace
        self._presencia = PreparedEvent(namespace.name, "presencia")
        self._untold: dict[str, Presencia] = {}

    def tell(self, user: str, here: bool, seen_ms: int) -> None:
        self._untold[user] = Presencia(user, here, seen_ms)
        if not self.due_tick:
            self._namespace.timers.arm(self, GATHER_S)

    def on_deadline(self) -> None:
        if not self._namespace.rooms.members(ADMINS):
            self._untold.clear()
            return
        for user in list(islice(self._untold, MAX_TOLD)):
            self._namespace.send_to_rooms(self._presencia.encode(self._untold.pop(user)), (ADMINS,))
        if self._untold:
            self._namespace.timers.arm(self, GATHER_S)
