"""The pages of the console and the widget: read once at start, with the headers that keep other people's code out.

The policy lets a page load from its own host and nothing else: no inline script or style, no `eval`, and no text that
becomes markup (`require-trusted-types-for`), whatever a message says. https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import dataclasses
import hashlib
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chatd.web.assets import IMMUTABLE, digest_of, joined
from chatd.web.page import Header, Page, compressed

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

# Texts in the pages that start-up replaces: the path of the Engine.IO server, where the files are, where one logs in.
_PATH_MARK: Final = b"{{path}}"
_ASSETS_MARK: Final = b"{{assets}}"
_LOGIN_MARK: Final = b"{{login}}"

_REVALIDATED: Final = (b"Cache-Control", b"no-cache")  # asked for each time, and answered by a 304

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors "
)


def load_console(engine_path: str, origins: Sequence[str], login_url: str = "") -> dict[str, Page]:
    """Every page by its path. Pages of `origins` may connect, and so may embed the widget.

    `login_url` is where the pages send those whose session has ended; empty for nowhere.

    What is no page is there twice: by its name, and at an address that changes with it and may be kept (E-53), where a
    page has one script and one style sheet.
    """
    files = {file.name: file.read_bytes() for file in FOLDER.iterdir()}
    assets = f"{PREFIX}{digest_of(files)}/"
    served = {name: _page(name, body, [_REVALIDATED, *_headers(name, origins)]) for name, body in files.items()}
    pages: dict[str, Page] = {}
    kept = {name: page for name, page in served.items() if name not in PAGES}
    for name in PAGES:
        body, made = joined(name, files)
        kept |= {one: _page(one, text, _headers(one, origins)) for one, text in made.items()}
        filled = _fill(body, {_PATH_MARK: engine_path, _ASSETS_MARK: assets, _LOGIN_MARK: login_url})
        served[name] = _page(name, filled, [_REVALIDATED, *_headers(name, origins)])
    for name, page in served.items():
        pages[PREFIX + PAGES.get(name, name)] = page
    for name, page in kept.items():
        pages[assets + name] = dataclasses.replace(page, headers=[IMMUTABLE, *_headers(name, origins)])
    return pages


def _fill(page: bytes, texts: Mapping[bytes, str]) -> bytes:
    """With a text in the place of each mark; a text cannot become markup."""
    for mark, text in texts.items():
        page = page.replace(mark, html.escape(text).encode())
    return page


def _page(name: str, body: bytes, headers: list[Header]) -> Page:
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return Page(body, TYPES[name.rpartition(".")[2]], etag, headers, compressed(body))


def _headers(name: str, origins: Sequence[str]) -> list[Header]:
    headers = [
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Referrer-Policy", b"no-referrer"),
        (b"Cross-Origin-Resource-Policy", b"cross-origin" if name == _FOR_OTHERS else b"same-site"),
    ]
    if name.endswith(".html"):
        ancestors = " ".join(["'self'", *filter(_is_source, origins)]) if name == _FRAMED else "'none'"
        headers.append((b"Content-Security-Policy", (_POLICY + ancestors).encode("latin-1")))
    return headers


def _is_source(origin: str) -> bool:
    """A policy has no form for addresses of IPv6 (CSP Level 3, section 2.3.1): browsers complain of one."""
    return "[" not in origin
