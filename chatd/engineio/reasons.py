"""Why a session ends: the reasons of the reference, and chatd's own. Rule E-20 of protocol.md."""

from __future__ import annotations

import enum


class CloseReason(enum.Enum):
    """All reasons; logs and metrics show the values."""

    TRANSPORT_CLOSE = "transport close"
    TRANSPORT_ERROR = "transport error"
    PARSE_ERROR = "parse error"
    PING_TIMEOUT = "ping timeout"
    FORCED_CLOSE = "forced close"
    RECONNECT = "reconnect"
    SERVER_SHUTTING_DOWN = "server shutting down"
    SLOW_CONSUMER = "slow consumer"
