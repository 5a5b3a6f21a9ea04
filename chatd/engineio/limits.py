"""The limits of this floor, by the name of the setting that each has; what is counted when they are reached."""

from __future__ import annotations

import enum


class Limit(enum.StrEnum):
    """The last three have no setting: clients of another protocol revision, what a stop refuses, and more fragments
    than an honest client sends.
    """

    MAX_CONNECTIONS = "max_connections"
    MAX_CONNECTIONS_PER_ADDRESS = "max_connections_per_address"
    ACCEPT_RATE = "accept_rate"
    ACCEPT_RATE_PER_ADDRESS = "accept_rate_per_address"
    ORIGIN = "origin"
    MAX_HEADER = "max_header"
    REQUEST_TIMEOUT = "request_timeout"
    MAX_PAYLOAD = "max_payload"
    MAX_PACKETS = "max_packets"
    MAX_UNFINISHED = "max_unfinished"
    MAX_UNFINISHED_PER_CLIENT = "max_unfinished_per_client"
    MAX_QUEUED = "max_queued"
    PROTOCOL = "protocol"
    STOPPING = "stopping"
    FRAGMENTS = "fragments"
