"""Which pages may connect, and the CORS headers that let their browsers do so. Pure. Rule E-14 of protocol.md.

CORS alone keeps nobody out: a browser opens a WebSocket to any host and sends its cookies along. So the Origin of
every handshake is checked too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from chatd.engineio.request import Request

ANY_ORIGIN: Final = "*"

_METHODS: Final = b"GET,HEAD,PUT,PATCH,POST,DELETE"

HeaderList = list[tuple[bytes, bytes]]


@dataclasses.dataclass(frozen=True, slots=True)
class OriginPolicy:
    """The listed origins (`*` for any), and whether their pages may send cookies."""

    origins: tuple[str, ...]
    credentials: bool

    def allows(self, request: Request) -> bool:
        """Whether the page behind `request` may connect: the host's own, a listed one, or no page at all."""
        origin = request.header(b"origin")
        return origin is None or self._listed(origin) or _is_own_host(origin, request.header(b"host"))

    def headers(self, request: Request) -> HeaderList:
        """The CORS headers of an answer to `request`, errors included; none when no origin is listed."""
        if not self.origins:
            return []
        headers: HeaderList = []
        if ANY_ORIGIN in self.origins and not self.credentials:
            headers.append((b"Access-Control-Allow-Origin", b"*"))
        else:
            origin = request.header(b"origin")
            if origin is not None and self._listed(origin):
                headers.append((b"Access-Control-Allow-Origin", origin.encode("latin-1")))
            headers.append((b"Vary", b"Origin"))
        if self.credentials:
            headers.append((b"Access-Control-Allow-Credentials", b"true"))
        return headers

    def is_preflight(self, request: Request) -> bool:
        return bool(self.origins) and request.method == "OPTIONS"

    def preflight_headers(self, request: Request) -> HeaderList:
        """The answer's headers to `request`, an OPTIONS; its status is 204."""
        headers = [*self.headers(request), (b"Access-Control-Allow-Methods", _METHODS)]
        wanted = request.header(b"access-control-request-headers")
        if wanted is not None:
            headers.append((b"Access-Control-Allow-Headers", wanted.encode("latin-1")))
            headers.append((b"Vary", b"Access-Control-Request-Headers"))
        return headers

    def _listed(self, origin: str) -> bool:
        return any(_matches(origin, pattern) for pattern in self.origins)


def _matches(origin: str, pattern: str) -> bool:
    """`https://*.example.com` stands for every subdomain, at any depth, but not for `https://example.com`."""
    before, star, after = pattern.partition("*")
    if not star:
        return origin == pattern
    if pattern == ANY_ORIGIN:
        return True
    inside = origin[len(before) : len(origin) - len(after)]
    whole = origin.startswith(before) and origin.endswith(after) and len(origin) > len(before) + len(after)
    return whole and not _has_delimiter(inside)


def _has_delimiter(host_part: str) -> bool:
    return any(character in host_part for character in "/:@?#")


def _is_own_host(origin: str, host: str | None) -> bool:
    return host is not None and origin.partition("://")[2] == host


def unknown_origin_message(request: Request, origins: Sequence[str]) -> str:
    """What an operator must add so that the page behind `request` may connect."""
    listed = ", ".join(origins) or "none"
    return f"origin {request.header(b'origin')} may not connect (listed: {listed}); add it to `origin` to allow it"
