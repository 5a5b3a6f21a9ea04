"""What an accepted connection may be refused for before it has a protocol; none has a setting of its own."""

from __future__ import annotations

import enum


class ListenLimit(enum.StrEnum):
    """OPEN_FILES is the system's RLIMIT_NOFILE."""

    OPEN_FILES = "open_files"
    TLS_HANDSHAKES = "tls_handshakes"
    TLS_FAULT = "tls_fault"
