"""Files that a browser may keep for good: their address has a digest of all of them in it. Rule E-53.

A page loads one script and one style sheet. Both are joined at start from the files in static/, which stay small and
stand for themselves there: each file of its own is a request, and a slow line has six at a time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from chatd.web.modules import bundled, kept_apart

IMMUTABLE: Final = (b"Cache-Control", b"public, max-age=31536000, immutable")

_SCRIPT: Final = re.compile(rb'<script type="module" src="\{\{assets\}\}([\w.-]+)"></script>')
_SHEETS: Final = re.compile(rb'(?:<link rel="stylesheet" href="\{\{assets\}\}[\w.-]+">\s*)+')
_SHEET: Final = re.compile(rb'href="\{\{assets\}\}([\w.-]+)"')


def digest_of(files: Mapping[str, bytes]) -> str:
    """Of names and bytes: another one as soon as any file is another."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return digest.hexdigest()[:16]


def joined(name: str, files: Mapping[str, bytes]) -> tuple[bytes, dict[str, bytes]]:
    """The page `name` with one script and one style sheet, and these two by their names."""
    page, made = files[name], {}
    if (script := _SCRIPT.search(page)) is not None:
        entry = script[1].decode()
        made[entry] = bundled(entry, files)
        page = page.replace(script[0], b"".join(map(_preload, kept_apart(entry, files))) + script[0])
    if (sheets := _SHEETS.search(page)) is not None:
        sheet = name.replace(".html", ".css")
        made[sheet] = b"\n".join(files[one.decode()] for one in _SHEET.findall(sheets[0]))
        page = page.replace(sheets[0], b'<link rel="stylesheet" href="{{assets}}%s">\n  ' % sheet.encode())
    return page, made


def _preload(name: str) -> bytes:
    """The browser asks for it together with the script that imports it."""
    return b'<link rel="modulepreload" href="{{assets}}%s">\n  ' % name.encode()
