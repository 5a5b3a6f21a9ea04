"""The limits of this floor, by the name of the setting that each has; what is counted when they are reached."""

from __future__ import annotations

import enum


class SocketLimit(enum.StrEnum):
    """Whatever breaks one of the first four ends its session. How many containers there may be is no setting."""

    CONNECT_TIMEOUT = "connect_timeout"
    MAX_ATTACHMENTS = "max_attachments"
    MAX_DEPTH = "max_depth"
    CONTAINERS = "containers"
    MAX_NAMESPACES = "max_namespaces"
