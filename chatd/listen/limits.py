"""The limits for which a connection is refused before it has a protocol."""

from __future__ import annotations

import enum


class ListenLimit(enum.StrEnum):
    """OPEN_FILES is the system's RLIMIT_NOFILE; MAX_CONNECTIONS_PER_ADDRESS is a setting of Engine.IO."""

    MAX_CONNECTIONS_PER_ADDRESS = "max_connections_per_address"
    OPEN_FILES = "open_files"
    TLS_HANDSHAKES = "tls_handshakes"
    TLS_FAULT = "tls_fault"
