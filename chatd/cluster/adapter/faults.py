"""Why something that came is not used."""

from __future__ import annotations

import enum


class Fault(enum.StrEnum):
    """By the name of the setting, where there is one. Rule N-34."""

    MAX_PAYLOAD = "max_payload"
    MAX_DEPTH = "max_depth"
    MAX_ATTACHMENTS = "max_attachments"
    CONTAINERS = "containers"
    UNREADABLE = "unreadable"
    EVENT = "event"
    ROOMS = "rooms"
    REQUEST = "request"
    PENDING = "pending"


class ForeignError(Exception):
    """What came is not used; the message says why, without its content."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
