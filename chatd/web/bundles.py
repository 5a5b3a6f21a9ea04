"""The bundles of socket.io-client, from a folder of the operator's choice, where the reference serves its own.

`<script src="/socket.io/socket.io.js">` is how pages of a Node.js server load their client. Only the names that
npm's socket.io-client has in its dist/ are served, with the caching headers of the reference: the client's version is
the entity tag. https://socket.io/docs/v4/server-options/#serveclient
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.web.page import Page

NAMES: Final = tuple(
    f"socket.io{variant}.js{suffix}"
    for variant in ("", ".min", ".esm.min", ".msgpack.min")
    for suffix in ("", ".map")
)  # fmt: skip

MAX_BYTES: Final = 4_194_304  # of one file: the largest, a map, has 0.3 MB

_BANNER: Final = re.compile(rb"Socket\.IO v(\d+\.\d+\.\d+[\w.-]*)")
_BANNER_BYTES: Final = 400


def load_bundles(folder: Path, engine_path: str) -> dict[str, Page]:
    """Every bundle that is in `folder`, by its path. Raises ConfigError."""
    try:
        files = {name: _read(folder, name) for name in NAMES if (folder / name).is_file()}
    except OSError as error:
        raise ConfigError(f"client_dir: cannot read {error.filename}: {error.strerror}") from error
    if not files:
        raise ConfigError(
            f"client_dir: {folder} has no {NAMES[0]} or any of its siblings; name a folder such as "
            "node_modules/socket.io-client/dist"
        )
    version = _version(folder, files)
    return {f"{engine_path.rstrip('/')}/{name}": _page(name, body, version) for name, body in files.items()}


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(
            f"client_dir: {path} is a link to {path.resolve()}, outside of the folder: copy the file there"
        )
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(f"client_dir: {path} has more than {MAX_BYTES} bytes, and is no bundle of socket.io-client")
    return path.read_bytes()


def _page(name: str, body: bytes, version: str | None) -> Page:
    kind = "json" if name.endswith(".map") else "javascript"
    etag = version or hashlib.sha256(body).hexdigest()[:20]
    headers = [(b"Cache-Control", b"public, max-age=0"), (b"X-Content-Type-Options", b"nosniff")]
    return Page(body, f"application/{kind}; charset=utf-8", f'"{etag}"', headers)


def _version(folder: Path, files: dict[str, bytes]) -> str | None:
    """As the package that the folder belongs to says, or the banner of a bundle; None if neither does."""
    try:
        package = json.loads((folder.parent / "package.json").read_bytes())
    except (OSError, ValueError):
        package = None
    match package:
        case {"name": "socket.io-client", "version": str(version)} if version.isascii() and version.isprintable():
            return version.replace('"', "")
    banners = (_BANNER.search(body[:_BANNER_BYTES]) for body in files.values())
    return next((found[1].decode() for found in banners if found), None)
