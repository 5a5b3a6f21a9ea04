"""Loopback addresses, which other machines cannot reach."""

from __future__ import annotations


def is_loopback(host: str) -> bool:
    """Whether `host` is in 127.0.0.0/8, ::1, or localhost."""
    import ipaddress  # noqa: PLC0415 - 0.5 MB, loaded only when used

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
