"""The limits of this floor, by the name of the setting that each has; what is counted when they are reached."""

from __future__ import annotations

import enum


class Limit(enum.StrEnum):
    """The last three have no setting: clients of another protocol revision, what a stop refuses, and fragments that
    nobody sends in good faith.
    """

    MAX_CONNECTIONS = "max_connections"
    MAX_CONNECTIONS_PER_ADDRESS = "max_connections_per_address"
    ACCEPT_RATE = "accept_rate"
    ORIGIN = "origin"
    MAX_HEADER = "max_header"
    REQUEST_TIMEOUT = "request_timeout"
    MAX_PAYLOAD = "max_payload"
    MAX_PACKETS = "max_packets"
    MAX_QUEUED = "max_queued"
    PROTOCOL = "protocol"
    STOPPING = "stopping"
    FRAGMENTS = "fragments"
