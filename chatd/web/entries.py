"""Links that log a visitor in once: `chatd dev` prints one for each role, and a click on it sets the cookie.

A link holds for one use, on this machine alone. It shows a page with a button, so that a preview or `curl` does not use
it up; a browser presses it by itself. What it gives is a cookie that scripts cannot read and that no other site can
have sent along; then it leads to a page. Nothing is written down: a restart makes new links.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import ipaddress
import secrets
from typing import Final

from chatd.engineio.exchange import Exchange
from chatd.web.console import PREFIX
from chatd.web.page import Header

ENTRY_PREFIX: Final = f"{PREFIX}enter/"
NONCE_BYTES: Final = 18  # 144 random bits, 24 characters

_PRIVATE: Final[tuple[Header, ...]] = (
    (b"Cache-Control", b"no-store"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Content-Type-Options", b"nosniff"),
)
_PLAIN: Final[Header] = (b"Content-Type", b"text/plain; charset=utf-8")
_HTML: Final[Header] = (b"Content-Type", b"text/html; charset=utf-8")
_SCRIPT: Final = 'if (document.visibilityState === "visible") document.forms[0].submit();'
_ENTER: Final = f"""\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>chatd dev</title>
<form method="post"><button autofocus>Enter the chat</button></form>
<script>{_SCRIPT}</script>
</html>
"""
_POLICY: Final[Header] = (
    b"Content-Security-Policy",
    b"default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; script-src 'sha256-%b'"
    % base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()),
)
HOME: Final = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>chatd dev</title>
<h1>chatd dev</h1>
<p>The terminal shows two links: for a user, and for an admin. Each lets you in once. Then you may open these:</p>
<ul><li><a href="/chatd/">the console for admins</a></li><li><a href="/chatd/demo">a page with the widget</a></li></ul>
</html>
"""
_USED: Final = b"This link has been used. Run chatd dev again: it prints new ones.\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """What a link gives: `cookie` is `name=value`, `page` the path it leads to."""

    cookie: str
    page: str
    max_age_s: int
    secure: bool


class Entries:
    """The links that are still good."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def add(self, entry: Entry) -> str:
        """The path of a new link."""
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        self._entries[nonce] = entry
        return ENTRY_PREFIX + nonce

    def on_request(self, exchange: Exchange) -> None:
        """Answer a request whose path begins with ENTRY_PREFIX."""
        request = exchange.request
        if request.method not in {"GET", "HEAD", "POST"}:
            exchange.respond(405, b"", [(b"Allow", b"GET, HEAD, POST"), *_PRIVATE])
        elif request.header(b"sec-purpose") is not None:
            exchange.respond(503, b"", _PRIVATE)  # a browser that only prefetches
        elif not is_this_machine(request.header(b"host") or ""):
            exchange.respond(403, b"These links are for this machine alone.\n", [_PLAIN, *_PRIVATE])
        elif request.method == "POST":
            self._let_in(exchange, self._entries.pop(request.path.removeprefix(ENTRY_PREFIX), None))
        elif request.path.removeprefix(ENTRY_PREFIX) not in self._entries:
            self._let_in(exchange, None)
        else:
            exchange.respond(200, _ENTER.encode(), [_HTML, _POLICY, *_PRIVATE])

    def home(self, exchange: Exchange) -> None:
        """Answer a request for /."""
        exchange.respond(200, HOME.encode(), [_HTML, _POLICY, *_PRIVATE])

    def _let_in(self, exchange: Exchange, entry: Entry | None) -> None:
        if entry is None:
            exchange.respond(404, _USED, [_PLAIN, *_PRIVATE])
            return
        flags = f"Path=/; Max-Age={entry.max_age_s}; HttpOnly; SameSite=Strict{'; Secure' if entry.secure else ''}"
        cookie = f"{entry.cookie}; {flags}".encode("latin-1")
        exchange.respond(303, b"", [(b"Location", entry.page.encode()), (b"Set-Cookie", cookie), *_PRIVATE])


def is_this_machine(host_header: str) -> bool:
    """Whether a page of that host is this machine's own: a name that was made to point here is not."""
    host = host_header.rpartition("]")[0].removeprefix("[") if "[" in host_header else host_header.partition(":")[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
