"""The limits of this floor, by the name of the setting that each has; what is counted when they are reached."""

from __future__ import annotations

import enum


class SocketLimit(enum.StrEnum):
    """All but MAX_NAMESPACES end the session that breaks them. The number of containers is no setting."""

    CONNECT_TIMEOUT = "connect_timeout"
    MAX_ATTACHMENTS = "max_attachments"
    MAX_DEPTH = "max_depth"
    CONTAINERS = "containers"
    MAX_NAMESPACES = "max_namespaces"
    MAX_REFUSED = "max_refused"
