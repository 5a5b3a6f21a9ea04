"""Resolves the host of a webhook, and refuses private addresses before anything is sent. Rule W-06."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_NAT64: Final = IPv6Network("64:ff9b::/96")


class Target(NamedTuple):
    """The parts of a URL."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


class RefusedAddressError(OSError):
    """The host has only addresses to which webhooks may not connect."""


def parse_target(url: str) -> Target:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, parts.hostname or "", parts.port or (443 if secure else 80), path)


async def resolve(target: Target, *, private: bool) -> str:
    """The address to connect to. Do not resolve the name again: the result may differ. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(address[0]) for _, _, _, _, address in found]
    allowed = [each for each in addresses if private or _is_public(ipaddress.ip_address(each.partition("%")[0]))]
    if not allowed:
        raise RefusedAddressError(f"{target.host} is an address of this machine or a private network")
    return allowed[0]


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    ipv4 = _translated(address) if isinstance(address, IPv6Address) else None
    return ipv4 is None or _is_public(ipv4)


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which a gateway translates `address`: NAT64 (RFC 6052), 6to4 (RFC 3056)."""
    return IPv4Address(address.packed[-4:]) if address in _NAT64 else address.sixtofour
