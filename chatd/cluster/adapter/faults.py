"""Why a message of a Node.js node is refused."""

from __future__ import annotations

import enum


class Fault(enum.StrEnum):
    """Named like the setting, if there is one. Rule N-34."""

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
    """A message is refused; the error says why, without quoting its content."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
