"""Addresses of this machine that no other can reach."""

from __future__ import annotations


def is_loopback(host: str) -> bool:
    """Whether `host` is 127.0.0.1 or one like it, ::1, or localhost."""
    import ipaddress  # noqa: PLC0415 - 0.5 MB, loaded only when used

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
