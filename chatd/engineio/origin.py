"""Which pages may connect, and the CORS headers that let their browsers do so. Pure. Rule E-14 of protocol.md.

CORS alone keeps nobody out: a browser opens a WebSocket to any host and sends its cookies along. So the Origin of
every request is checked too. What an operator may list is in origins.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from chatd.engineio.origins import ANY_ORIGIN, DEFAULT_PORTS
from chatd.engineio.proxies import Proxies
from chatd.engineio.request import Request

MAX_SHOWN_CHARS: Final = 256

_METHODS: Final = b"GET,HEAD,PUT,PATCH,POST,DELETE"

HeaderList = list[tuple[bytes, bytes]]


@dataclasses.dataclass(frozen=True, slots=True)
class OriginPolicy:
    """The listed origins (`*` for any), whether their pages may send cookies, and whether there must be an origin."""

    origins: tuple[str, ...]
    credentials: bool
    required: bool = False
    proxies: Proxies = dataclasses.field(default=Proxies(()))

    def allows(self, request: Request) -> bool:
        """Whether the page behind `request` may connect: the host's own, a listed one, or no page at all.

        Browsers leave the Origin out of a page's own GETs, and say so: no page can set or change Sec-Fetch-Site.
        """
        origin = request.header(b"origin")
        if origin is None:
            return not self.required or request.header(b"sec-fetch-site") == "same-origin"
        return self._listed(origin) or self._is_own(origin, request)

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

    def _is_own(self, origin: str, request: Request) -> bool:
        """Whether `origin` is this server as its clients know it.

        That is the Host header, unless a trusted proxy says what it was. The scheme has to be the same where it is
        known: a page from plain HTTP, which anybody on the way may have written, is not that of an HTTPS server.
        """
        scheme, _, authority = origin.partition("://")
        if not authority or scheme not in DEFAULT_PORTS:
            return False
        ours = "https" if request.secure else self.proxies.last_word(request, b"x-forwarded-proto")
        if ours is not None and ours != scheme:
            return False
        host = self.proxies.last_word(request, b"x-forwarded-host") or (request.header(b"host") or "").lower()
        port = f":{DEFAULT_PORTS[scheme]}"
        return authority.removesuffix(port) == host.removesuffix(port)

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


def unknown_origin_message(request: Request, origins: Sequence[str]) -> str:
    """What an operator must add so that the page behind `request` may connect."""
    origin = request.header(b"origin")
    if origin is None:
        return "clients that send no Origin may not connect: `require_origin` is on"
    listed = ", ".join(origins) or "none"
    shown = origin[:MAX_SHOWN_CHARS]
    return f"origin {shown} may not connect (listed: {listed}); add it to `origin` to allow it: --origin {shown}"
