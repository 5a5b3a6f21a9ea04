"""The default answer to a CONNECT: the socket's id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from chatd.socketio.socket import Socket


class Joined(msgspec.Struct, frozen=True, gc=False):
    """The fields of the answer that every client needs."""

    sid: str


def joined(socket: Socket) -> Joined:
    return Joined(socket.id)
