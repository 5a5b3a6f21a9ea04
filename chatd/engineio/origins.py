"""Checks the origins that an operator lists. Pure. Rule E-14 of protocol.md.

A browser writes an origin in one way only: scheme, host in lower case, and the port unless it is the scheme's default
(https://www.rfc-editor.org/rfc/rfc6454#section-6.2). An entry written in another way would never match, without any
error; so it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from chatd.base.errors import ConfigError

ANY_ORIGIN: Final = "*"
NO_ORIGIN: Final = "null"  # the origin of files and of sandboxed frames, which any page can make

UNRESTRICTED: Final = frozenset({ANY_ORIGIN, NO_ORIGIN})

DEFAULT_PORTS: Final[Mapping[str, str]] = {"http": "80", "https": "443"}

# scheme "://" [ "*." ] host [ ":" port ]; apps made of web views have schemes of their own.
_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
)


# On the machine itself any port may belong to a development server.
_HERE: Final = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\]):\*")


def check_origin(text: str) -> None:
    """Raises ConfigError for an entry that cannot match; its message says what to write."""
    if text in UNRESTRICTED or text == "file://" or _HERE.fullmatch(text):
        return
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise ConfigError(f"origin: {text!r} matches no page: {_advice(text)}")
    if match["port"] is not None and match["port"] == DEFAULT_PORTS.get(match["scheme"]):
        short = text.removesuffix(f":{match['port']}")
        raise ConfigError(f"origin: {text!r} matches no page: browsers leave the usual port out; write {short}")


def how_to_allow(origin: str) -> str:
    """The setting that lets a page with this `Origin` connect; `serve` must accept it as printed."""
    if origin == NO_ORIGIN:
        return (
            "it is the origin of files and of sandboxed frames: serve the page from a host and allow that host; "
            "--origin null --insecure-any-origin allows every page of the web"
        )
    try:
        check_origin(origin)
    except ConfigError:
        return "it cannot be allowed: no browser writes an origin in this way"
    return f"start chatd with --origin {origin} to allow it"


def _advice(text: str) -> str:
    lower = text.lower()
    if "://" not in lower:
        return f"it has no scheme; write https://{lower.strip('/')}" if lower.strip("/ ") else "write https://host"
    scheme, _, rest = lower.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "*" in host:
        return "a star stands for subdomains, as in https://*.example.com, or alone for every page"
    if host and _ORIGIN.fullmatch(f"{scheme}://{host}"):
        return f"an origin is scheme, host and port, in lower case; write {scheme}://{host}"
    return "write scheme, host and port, as in https://shop.example or http://localhost:3000"
