"""Why a socket leaves its namespace: the CloseReason of its session, or a LeaveReason."""

from __future__ import annotations

import enum

from chatd.engineio.reasons import CloseReason


class LeaveReason(enum.Enum):
    """The socket left and its session may stay open. The values are those of the reference."""

    CLIENT_DISCONNECT = "client namespace disconnect"
    SERVER_DISCONNECT = "server namespace disconnect"


DisconnectReason = CloseReason | LeaveReason
