"""A file as browsers get it: with its entity tag, its type, and only when they do not have it already."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Final

from chatd.engineio.exchange import Exchange

Header = tuple[bytes, bytes]

# One entity tag or `*`: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")|(\*)')


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """What is at one path. `headers` go with every answer, the 304 included."""

    body: bytes
    content_type: str
    etag: str  # with its quotes
    headers: Sequence[Header] = ()


def answer(exchange: Exchange, page: Page, more: Sequence[Header] = ()) -> None:
    """Answer a request for `page`: 200, 304 or 405. `more` are headers of this answer alone."""
    request = exchange.request
    if request.method not in ("GET", "HEAD"):
        exchange.respond(405, b"", [(b"Allow", b"GET, HEAD")])
        return
    headers = [(b"ETag", page.etag.encode("latin-1")), *page.headers, *more]
    if is_known(request.header(b"if-none-match"), page.etag):
        exchange.respond(304, b"", headers)
    else:
        exchange.respond(200, page.body, [(b"Content-Type", page.content_type.encode()), *headers])


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether a browser that sends `If-None-Match` has this version. Weak tags count too: RFC 9110, section 13.1.2."""
    return any(tag == etag or star for tag, star in _TAG.findall(if_none_match or ""))
