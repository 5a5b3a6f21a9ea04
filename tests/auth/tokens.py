"""Hand-made tokens, so that a test can set every claim, header and signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final

from chatd.auth.config import AuthConfig
from chatd.auth.keys import load_keys
from chatd.auth.verify import Verifier

NOW: Final = 1_800_000_000.5
SECRET: Final = "a secret of forty bytes, for tests alone"
GOOD: Final[Mapping[str, object]] = {"user": "maria", "name": "María López", "rol": "user", "exp": int(NOW) + 60}


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(header: object, payload: bytes, secret: bytes = SECRET.encode()) -> str:
    """A token with any header and payload, and a valid HS256 signature."""
    message = f"{base64url(json.dumps(header).encode())}.{base64url(payload)}"
    return f"{message}.{base64url(hmac.digest(secret, message.encode(), hashlib.sha256))}"


def token(claims: object = None, header: object = None, **changes: object) -> str:
    """A valid token, with `changes` to its claims; a claim whose value is `...` is left out."""
    said = {**GOOD, **changes} if claims is None else claims
    if isinstance(said, dict):
        said = {name: value for name, value in said.items() if value is not ...}
    return sign({"alg": "HS256", "typ": "JWT"} if header is None else header, json.dumps(said).encode())


def verifier(now: float = NOW, config: AuthConfig | None = None) -> Verifier:
    config = config or AuthConfig(jwt_secret=SECRET, jwt_leeway_s=0)
    return Verifier(config, load_keys(config), lambda: now)
