"""A file as browsers get it: with its entity tag, its type, compressed, and only when they do not have it already.

Files are compressed once, at start: there is no secret in them whose length could tell anything. Rule E-53.
"""

from __future__ import annotations

import dataclasses
import gzip
import re
from collections.abc import Sequence
from typing import Final

from chatd.engineio.exchange import Exchange

Header = tuple[bytes, bytes]

# One entity tag or `*`: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")|(\*)')

_CODING: Final = re.compile(r"([\w*-]+)(?:\s*;\s*q=([01](?:\.\d{0,3})?))?")

WORTH_IT: Final = 0.9


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """What is at one path. `headers` go with every answer, the 304 included."""

    body: bytes
    content_type: str
    etag: str  # with its quotes
    headers: Sequence[Header] = ()
    gzipped: bytes | None = None


def answer(exchange: Exchange, page: Page, more: Sequence[Header] = ()) -> None:
    """Answer a request for `page`: 200, 304 or 405. `more` are headers of this answer alone."""
    request = exchange.request
    if request.method not in ("GET", "HEAD"):
        exchange.respond(405, b"", [(b"Allow", b"GET, HEAD")])
        return
    body, etag = page.body, page.etag
    headers = [*page.headers, *more]
    if page.gzipped is not None:
        headers.append((b"Vary", b"Accept-Encoding"))
        if takes_gzip(request.header(b"accept-encoding")):
            body, etag = page.gzipped, f'{page.etag[:-1]}-gzip"'
            headers.append((b"Content-Encoding", b"gzip"))
    headers.append((b"ETag", etag.encode("latin-1")))
    if is_known(request.header(b"if-none-match"), etag):
        exchange.respond(304, b"", headers)
    else:
        exchange.respond(200, body, [(b"Content-Type", page.content_type.encode()), *headers])


def compressed(body: bytes) -> bytes | None:
    """As gzip, the same at each start; None where that is hardly shorter."""
    packed = gzip.compress(body, mtime=0)
    return packed if len(packed) < WORTH_IT * len(body) else None


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether a client with that header takes gzip: RFC 9110, section 12.5.3."""
    for coding, weight in _CODING.findall(accept_encoding or ""):
        if coding.lower() in {"gzip", "x-gzip"}:
            return not weight or float(weight) > 0
    return False


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether a browser that sends `If-None-Match` has this version. Weak tags count too: RFC 9110, section 13.1.2."""
    return any(tag == etag or star for tag, star in _TAG.findall(if_none_match or ""))
