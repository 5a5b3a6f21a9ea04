"""`/chatd/session`: whether a browser has a login for the chat, for the widget on the page of a site. Rule E-52.

It looks whether the cookie is there, and at nothing in it: whether it holds, a client hears when it connects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from chatd.auth.find import cookies
from chatd.engineio.exchange import Exchange
from chatd.engineio.origin import OriginPolicy
from chatd.web.console import PREFIX
from chatd.web.page import Header

SESSION_PATH: Final = f"{PREFIX}session"

_HEADERS: Final[Sequence[Header]] = (
    (b"Content-Type", b"application/json"),
    (b"Cache-Control", b"no-store"),
    (b"X-Content-Type-Options", b"nosniff"),
)


def session_answer(cookie: str, origins: OriginPolicy) -> Callable[[Exchange], None]:
    """What answers requests for SESSION_PATH. `cookie` is the name of the login's cookie."""

    def answer(exchange: Exchange) -> None:
        request = exchange.request
        if request.method != "GET":
            exchange.respond(405, b"", [(b"Allow", b"GET")])
            return
        found = any(name == cookie and value for name, value in cookies(request.header(b"cookie") or ""))
        body = b'{"session":true}' if found else b'{"session":false}'
        exchange.respond(200, body, [*_HEADERS, *origins.headers(request)])

    return answer
