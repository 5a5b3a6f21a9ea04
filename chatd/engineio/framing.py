"""Requests whose end two readers may see in different places, which h11 lets through. Pure. Rule E-46 of protocol.md.

A proxy that ends a request elsewhere than we do hands us the rest as the next request, which may be that of another
client (request smuggling, RFC 9112, section 11.2). So such a request is refused, and its connection closed.
"""

from __future__ import annotations

import re
from typing import Final

import h11

_LENGTH: Final = re.compile(rb"\ncontent-length:([^\r]*)", re.IGNORECASE)
_LIST: Final = b","


def check_framing(raw: bytes, event: h11.Request | h11.EndOfMessage) -> None:
    """Refuse `event`, whose lines came as `raw`: a head, or the trailers of a body in chunks.

    Raises h11.RemoteProtocolError, as h11 does for what it refuses itself.
    """
    fault = _lines_fault(raw) or (_body_fault(raw, event) if isinstance(event, h11.Request) else None)
    if fault is not None:
        raise h11.RemoteProtocolError(fault)


def _lines_fault(raw: bytes) -> str | None:
    """RFC 9112, sections 2.2 and 5.2."""
    if raw.count(b"\n") != raw.count(b"\r\n"):
        return "a line ends without CR"
    if b"\n " in raw or b"\n\t" in raw:
        return "a header is folded"
    return None


def _body_fault(raw: bytes, request: h11.Request) -> str | None:
    """RFC 9112, sections 6.1 and 6.3."""
    names = {name for name, _ in request.headers}
    in_chunks = b"transfer-encoding" in names
    if in_chunks and request.http_version < b"1.1":
        return "Transfer-Encoding in HTTP/1.0"
    if b"content-length" not in names:
        return None
    if in_chunks:
        return "Content-Length beside Transfer-Encoding"
    first, *others = _LENGTH.findall(raw)  # h11 has made one of several that agree
    return "more than one Content-Length" if others or _LIST in first else None
