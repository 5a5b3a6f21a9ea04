"""The limits of this floor, by the name of the setting that each has; what is counted when they are reached."""

from __future__ import annotations

import enum


class SocketLimit(enum.StrEnum):
    """Whatever breaks one of the first three ends its session."""

    CONNECT_TIMEOUT = "connect_timeout"
    MAX_ATTACHMENTS = "max_attachments"
    MAX_DEPTH = "max_depth"
    MAX_NAMESPACES = "max_namespaces"
