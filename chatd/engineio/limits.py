"""The limits of the Engine.IO layer, named like their settings; refusals are counted by them."""

from __future__ import annotations

import enum


class Limit(enum.StrEnum):
    """The last three have no setting. PROTOCOL: the client speaks another revision of Engine.IO. STOPPING: the daemon
    stops. FRAGMENTS: a message has more fragments than reader.MAX_FRAGMENTS.
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
