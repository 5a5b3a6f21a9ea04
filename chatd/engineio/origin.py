"""Which pages may connect, and the CORS headers for their browsers. Pure. Rules E-14, E-45 and E-48 of protocol.md.

CORS does not stop a WebSocket: a browser opens one to any host, with cookies. So the Origin of every request is checked
too. The entries that an operator may list are in origins.py.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Final

from chatd.engineio.origins import ANY_ORIGIN, DEFAULT_PORTS, how_to_allow
from chatd.engineio.proxies import Proxies
from chatd.engineio.request import Request

MAX_SHOWN_CHARS: Final = 256

_METHODS: Final = b"GET,HEAD,PUT,PATCH,POST,DELETE"

# Values of X-Forwarded-Proto from a trusted proxy; some proxies send ws and wss for an upgrade.
_SCHEME_OF: Final[Mapping[str, str]] = {"http": "http", "https": "https", "ws": "http", "wss": "https"}

# What a star in a host matches. https://www.rfc-editor.org/rfc/rfc1123#section-2.1
_LABELS: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")

_PORT: Final = re.compile(r"[0-9]+")

_OWN_PAGE: Final = "same-origin"
_NO_PAGE: Final = "none"

HeaderList = list[tuple[bytes, bytes]]


@dataclasses.dataclass(frozen=True, slots=True)
class OriginPolicy:
    """The listed origins (`*`: any), whether their pages may send cookies, and whether an Origin must be sent."""

    origins: tuple[str, ...]
    credentials: bool
    required: bool = False
    proxies: Proxies = dataclasses.field(default=Proxies(()))

    def allows(self, request: Request) -> bool:
        """Whether the page behind `request` may connect: the host's own, a listed one, or no page at all."""
        origin = request.header(b"origin")
        if origin is None:
            return self._allows_unnamed(request)
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
        """The headers of the answer (status 204) to `request`, an OPTIONS."""
        headers = [*self.headers(request), (b"Access-Control-Allow-Methods", _METHODS)]
        wanted = request.header(b"access-control-request-headers")
        if wanted is not None:
            headers.append((b"Access-Control-Allow-Headers", wanted.encode("latin-1")))
            headers.append((b"Vary", b"Access-Control-Request-Headers"))
        return headers

    def log_message(self, request: Request) -> str:
        """The log message for a refused request: the answer's text, with details for the operator."""
        scheme, host = self._own(request)
        own = f"{scheme or '(any scheme)'}://{host[:MAX_SHOWN_CHARS]}"
        return f"{refusal_message(request)} (listed: {', '.join(self.origins) or 'none'}; this server: {own})"

    def _allows_unnamed(self, request: Request) -> bool:
        """Whether a request without an Origin may connect.

        Browsers send no Origin with a page's GETs to its own server, and with requests of `<img>`, `<script>` and
        links. Sec-Fetch-Site tells which; no page can set or change it. Programs and old browsers do not send it. In
        the mode `cors` every browser sends an Origin; only an app whose web view has its security off does not, and an
        app is not a page of the web. If any origin may connect, a request without one may too.
        """
        site = request.header(b"sec-fetch-site")
        if self.required:
            return site == _OWN_PAGE
        is_app = request.header(b"sec-fetch-mode") == "cors"
        return site in {None, _OWN_PAGE, _NO_PAGE} or is_app or ANY_ORIGIN in self.origins

    def _is_own(self, origin: str, request: Request) -> bool:
        """Whether `origin` is this server as its clients know it.

        The scheme must be equal if it is known: a page from plain HTTP, which an attacker on the network can forge, is
        not a page of an HTTPS server.
        """
        scheme, _, authority = origin.partition("://")
        if not authority or scheme not in DEFAULT_PORTS:
            return False
        own_scheme, own_host = self._own(request)
        port = f":{DEFAULT_PORTS[scheme]}"
        return own_scheme in {None, scheme} and authority.removesuffix(port) == own_host.removesuffix(port)

    def _own(self, request: Request) -> tuple[str | None, str]:
        """The scheme (None if unknown) and the host of the client's request to this server.

        The headers of a trusted proxy take precedence over the connection from that proxy.
        """
        forwarded = _SCHEME_OF.get(self.proxies.forwarded(request, b"x-forwarded-proto") or "")
        scheme = forwarded or ("https" if request.secure else None)
        host = self.proxies.forwarded(request, b"x-forwarded-host") or (request.header(b"host") or "").lower()
        return scheme, host

    def _listed(self, origin: str) -> bool:
        return any(_matches(origin, pattern) for pattern in self.origins)


def _matches(origin: str, pattern: str) -> bool:
    """Whether `origin` matches an entry of the list.

    `https://*.example.com` matches every subdomain at any depth, but not `https://example.com`. `http://localhost:*`
    matches every port.
    """
    before, star, after = pattern.partition("*")
    if not star:
        return origin == pattern
    if pattern == ANY_ORIGIN:
        return True
    stands_for = _PORT if before.endswith(":") else _LABELS
    inside = origin[len(before) : len(origin) - len(after)]
    return origin.startswith(before) and origin.endswith(after) and stands_for.fullmatch(inside) is not None


def refusal_message(request: Request) -> str:
    """The text for a refused client: only what the client knows, and how an operator can allow it."""
    origin = request.header(b"origin")
    if origin is not None:
        return f"origin {origin[:MAX_SHOWN_CHARS]} may not connect; {how_to_allow(origin[:MAX_SHOWN_CHARS])}"
    if request.header(b"sec-fetch-site") in {None, _OWN_PAGE, _NO_PAGE}:
        return "clients that send no Origin may not connect: `require_origin` is on"
    return "a page of another site may not connect without an Origin, which browsers send with a fetch or a WebSocket"
