"""The page that stops mail to a user: each such mail has a link to it. GET shows a button; its POST stops the mail.

Mail programs send the same POST (RFC 8058). The link is signed, so it needs no login. Rule M-15.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from chatd.base.tasks import Tasks
from chatd.engineio.exchange import Exchange
from chatd.notify.wishes import set_wish
from chatd.store.base import Store, StoreError

PATH: Final = "/chatd/correo/"

MAX_BODY_BYTES: Final = 4_096
MAX_UNDER_WAY: Final = 100

_HEADERS: Final = [
    (b"Content-Type", b"text/html; charset=UTF-8"),
    (b"Cache-Control", b"no-store"),
    (b"Content-Security-Policy", b"default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Robots-Tag", b"noindex"),
]


def key_of(secret: str) -> bytes:
    """The key that signs links, derived from the secret, so that no other use of the secret can sign one."""
    return hmac.digest(secret.encode(), b"chatd: no more mail", hashlib.sha256)


def link_of(public_url: str, key: bytes, user: str) -> str:
    name = base64.urlsafe_b64encode(user.encode()).rstrip(b"=").decode()
    return f"{public_url.rstrip('/')}{PATH}{name}.{_signature(key, user)}"


def user_of(key: bytes, path: str) -> str | None:
    """The user of a link; None if its signature is not valid."""
    name, _, signature = path.removeprefix(PATH).partition(".")
    try:
        user = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
    except ValueError:
        return None
    return user if hmac.compare_digest(signature.encode(), _signature(key, user).encode()) else None


class StopPage:
    """Answers requests below PATH, and passes all others to `other`."""

    def __init__(self, key: bytes, store: Store, other: Callable[[Exchange], None]) -> None:
        self._key = key
        self._store = store
        self._other = other
        self._tasks = Tasks()

    def on_request(self, exchange: Exchange) -> None:
        request = exchange.request
        if not request.path.startswith(PATH):
            self._other(exchange)
            return
        user = user_of(self._key, request.path)
        if user is None:
            exchange.respond(404, _page("This link is not valid.", "Este enlace no es válido."), _HEADERS)
        elif request.method in ("GET", "HEAD"):
            exchange.respond(200, _ASK, _HEADERS)
        elif request.method == "POST":
            exchange.receive(MAX_BODY_BYTES, lambda _: self._begin(exchange, user), lambda: exchange.respond(413))
        else:
            exchange.respond(405, b"", [(b"Allow", b"GET, HEAD, POST")])

    def _begin(self, exchange: Exchange, user: str) -> None:
        if len(self._tasks) >= MAX_UNDER_WAY:
            _refuse(exchange)
            return
        lost: list[bool] = []
        exchange.on_lost = lambda: lost.append(True)  # set here and not in the task, which starts in a later turn
        self._tasks.start(self._stop(exchange, user, lost), "no more mail")

    async def _stop(self, exchange: Exchange, user: str, lost: list[bool]) -> None:
        """Store the wish, and answer unless the connection is `lost`."""
        try:
            await set_wish(self._store, user, wants_mail=False)
        except StoreError:
            answer = _refuse
        else:
            answer = _thank
        if not lost:
            answer(exchange)


def _refuse(exchange: Exchange) -> None:
    text = _page("Try again in a moment.", "Inténtalo de nuevo en un momento.")
    exchange.respond(503, text, [*_HEADERS, (b"Retry-After", b"1")])


def _thank(exchange: Exchange) -> None:
    exchange.respond(200, _page("You get no more of these mails.", "No recibirás más estos correos."), _HEADERS)


def _signature(key: bytes, user: str) -> str:
    return hmac.digest(key, user.encode(), hashlib.sha256).hex()[:32]


def _page(english: str, spanish: str, more: str = "") -> bytes:
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mail</title>'
    view = '<meta name="viewport" content="width=device-width"></head>'
    return f'{head}{view}<body><p>{english}</p><p lang="es">{spanish}</p>{more}</body></html>\n'.encode()


_ASK: Final = _page(
    "Get no more mail about answers in the chat?",
    "¿No recibir más correo sobre respuestas en el chat?",
    '<form method="post"><button>No more mail · No más correo</button></form>',
)
