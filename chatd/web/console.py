"""The pages of the console and the widget: read once at start, with the headers that keep other people's code out.

The policy lets a page load from its own host and nothing else: no inline script or style, no `eval`, and no text that
becomes markup (`require-trusted-types-for`), whatever a message says. https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chatd.web.page import Header, Page

PREFIX: Final = "/chatd/"
FOLDER: Final = Path(__file__).parent / "static"

TYPES: Final[Mapping[str, str]] = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

# Pages have short names; everything else goes by the name of its file.
PAGES: Final[Mapping[str, str]] = {"console.html": "", "panel.html": "panel", "demo.html": "demo"}

# What a page of another origin may load: the one script that it embeds.
_FOR_OTHERS: Final = "widget.js"

# The page that other origins may frame.
_FRAMED: Final = "panel.html"

# A text in the pages that start-up replaces with the path of the Engine.IO server.
_PATH_MARK: Final = b"{{path}}"

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors "
)


def load_console(engine_path: str, origins: Sequence[str]) -> dict[str, Page]:
    """Every page by its path. `origins` are those whose pages may connect, and so may embed the widget."""
    return {
        PREFIX + PAGES.get(file.name, file.name): _page(file.name, file.read_bytes(), engine_path, origins)
        for file in FOLDER.iterdir()
    }


def _page(name: str, body: bytes, engine_path: str, origins: Sequence[str]) -> Page:
    if name.endswith(".html"):
        body = body.replace(_PATH_MARK, html.escape(engine_path).encode())
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return Page(body, TYPES[name.rpartition(".")[2]], etag, _headers(name, origins))


def _headers(name: str, origins: Sequence[str]) -> list[Header]:
    headers = [
        (b"Cache-Control", b"no-cache"),  # asked for each time, and answered by a 304
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Referrer-Policy", b"no-referrer"),
        (b"Cross-Origin-Resource-Policy", b"cross-origin" if name == _FOR_OTHERS else b"same-site"),
    ]
    if name.endswith(".html"):
        ancestors = " ".join(["'self'", *origins]) if name == _FRAMED else "'none'"
        headers.append((b"Content-Security-Policy", (_POLICY + ancestors).encode("latin-1")))
    return headers
