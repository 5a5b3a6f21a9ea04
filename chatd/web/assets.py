"""Files that a browser may keep for good: their address has a digest of all of them in it. Rule E-53.

Modules name each other by relative addresses, so they stay under one digest, and none of them has to be rewritten. A
page loads every module that it needs at once: `modulepreload`, from the imports that are in the files.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

IMMUTABLE: Final = (b"Cache-Control", b"public, max-age=31536000, immutable")

_IMPORT: Final = re.compile(rb'^import [^"]*"\./([\w.-]+)";$', re.MULTILINE)
_SCRIPT: Final = re.compile(rb'<script type="module" src="\{\{assets\}\}([\w.-]+)"')


def digest_of(files: Mapping[str, bytes]) -> str:
    """Of names and bytes: another one as soon as any file is another."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return digest.hexdigest()[:16]


def preloads(page: bytes, files: Mapping[str, bytes]) -> bytes:
    """A link for each module that the page's script imports, and that those import."""
    needed: dict[str, None] = {}
    waiting = [name.decode() for name in _SCRIPT.findall(page)]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = None
            waiting += [imported.decode() for imported in _IMPORT.findall(files[name])]
    return b"\n  ".join(b'<link rel="modulepreload" href="{{assets}}%s">' % name.encode() for name in needed)
