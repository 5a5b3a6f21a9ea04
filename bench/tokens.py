"""JWTs for the clients of a benchmark: HS256 by the standard library, so that they depend on no server's code."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

SECRET: Final = "bench-secret-of-more-than-32-bytes-for-HS256"
LIFETIME_S: Final = 24 * 3600


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


_HEADER: Final = _part(json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode())


def mint(user: str, rol: str) -> str:
    """A token that is valid for a day."""
    claims = {"user": user, "name": user, "rol": rol, "exp": int(time.time()) + LIFETIME_S}
    signed = f"{_HEADER}.{_part(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{signed}.{_part(hmac.digest(SECRET.encode(), signed.encode(), 'sha256'))}"


def write(path: Path, people: Iterable[tuple[str, str]]) -> None:
    """One token a line; line i is for the i-th (user, rol). All are different: no server may cache."""
    path.write_text("".join(f"{mint(user, rol)}\n" for user, rol in people))
