"""Refuses requests with ambiguous framing that h11 accepts. Pure. Rule E-46 of protocol.md.

If a proxy and this server disagree where a request ends, the rest of it is taken for the next request, maybe of another
client (request smuggling, RFC 9112, section 11.2). So such a request is refused, and its connection closed.
"""

from __future__ import annotations

import re
from typing import Final

import h11

_LENGTH: Final = re.compile(rb"\ncontent-length:([^\r]*)", re.IGNORECASE)
_LIST: Final = b","


class StrictConnection(h11.Connection):
    """An h11 server connection that raises h11.RemoteProtocolError for ambiguous framing too."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        waiting = self.trailing_data[0]
        event = super().next_event()
        if isinstance(event, h11.Request | h11.EndOfMessage):
            lines = waiting[: len(waiting) - len(self.trailing_data[0])]  # a head, or the trailers of a chunked body
            fault = _lines_fault(lines) or (_body_fault(lines, event) if isinstance(event, h11.Request) else None)
            if fault is not None:
                raise h11.RemoteProtocolError(fault)
        return event


def _lines_fault(lines: bytes) -> str | None:
    """RFC 9112, sections 2.2 and 5.2."""
    if lines.count(b"\n") != lines.count(b"\r\n"):
        return "a line ends without CR"
    if b"\n " in lines or b"\n\t" in lines:
        return "a header is folded"
    return None


def _body_fault(head: bytes, request: h11.Request) -> str | None:
    """RFC 9112, sections 6.1 and 6.3."""
    names = {name for name, _ in request.headers}
    in_chunks = b"transfer-encoding" in names
    if in_chunks and request.http_version < b"1.1":
        return "Transfer-Encoding in HTTP/1.0"
    if b"content-length" not in names:
        return None
    if in_chunks:
        return "Content-Length beside Transfer-Encoding"
    first, *others = _LENGTH.findall(head)  # h11 merges several equal Content-Length headers into one
    return "more than one Content-Length" if others or _LIST in first else None
