"""Why a socket leaves its namespace: a session's CloseReason, or one of these two."""

from __future__ import annotations

import enum

from chatd.engineio.reasons import CloseReason


class LeaveReason(enum.Enum):
    """The socket left, its session may live on. The reference's words."""

    CLIENT_DISCONNECT = "client namespace disconnect"
    SERVER_DISCONNECT = "server namespace disconnect"


DisconnectReason = CloseReason | LeaveReason
