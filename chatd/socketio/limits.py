"""The limits of the Socket.IO layer, named like their settings; refusals are counted by them."""

from __future__ import annotations

import enum


class SocketLimit(enum.StrEnum):
    """All but MAX_NAMESPACES end the session that breaks them. CONTAINERS has no setting."""

    CONNECT_TIMEOUT = "connect_timeout"
    MAX_ATTACHMENTS = "max_attachments"
    MAX_DEPTH = "max_depth"
    CONTAINERS = "containers"
    MAX_NAMESPACES = "max_namespaces"
    MAX_REFUSED = "max_refused"
