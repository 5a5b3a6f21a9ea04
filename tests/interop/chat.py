"""A `chatd serve` process with its own database and secret, and queries on both for tests."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

import jwt

from tests.interop.processes import Server

SECRET: Final = "a secret of forty-two characters, exactly.."


@dataclasses.dataclass(frozen=True, slots=True)
class Chat:
    """A running `chatd serve`."""

    server: Server
    db: Path

    @property
    def url(self) -> str:
        return self.server.url

    def rows(self, mensaje: str) -> list[dict[str, Any]]:
        """The message rows with that text, read by a second connection while the daemon runs."""
        with contextlib.closing(sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute("SELECT * FROM mensajes WHERE mensaje = ? ORDER BY id", (mensaje,))
            return [dict(row) for row in found]


def token(user: object, rol: str = "user", *, ttl_s: float = 3600.0, secret: str = SECRET) -> str:
    """A token as the application's login would sign it."""
    payload = {"user": user, "name": f"Name of {user}", "rol": rol, "exp": time.time() + ttl_s}
    return jwt.encode(payload, secret, algorithm="HS256")


def with_cookie(text: str) -> dict[str, Any]:
    """Options of socket.io-client that send `text` as the cookie `token`, between two other cookies."""
    return {"extraHeaders": {"Cookie": f"theme=dark; token={text}; _ga=GA1.2=3"}}
