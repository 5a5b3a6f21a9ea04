"""Signs requests, so that a receiver can verify their sender: https://www.standardwebhooks.com. Pure. Rule W-03."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

from chatd.base.errors import ConfigError

PREFIX: Final = "whsec_"

MIN_BYTES: Final = 24
MAX_BYTES: Final = 64


def parse_secret(text: str, where: str) -> bytes:
    """Raises ConfigError, which does not quote the secret."""
    try:
        secret = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"{where}: a secret is {PREFIX} and {MIN_BYTES} to {MAX_BYTES} bytes in base64") from error
    if not MIN_BYTES <= len(secret) <= MAX_BYTES:
        raise ConfigError(f"{where}: a secret has {MIN_BYTES} to {MAX_BYTES} bytes, in base64 behind {PREFIX}")
    return secret


def headers_of(secret: bytes, event_id: str, timestamp: int, body: bytes) -> list[tuple[str, str]]:
    return [
        ("webhook-id", event_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", sign(secret, event_id, timestamp, body)),
    ]


def sign(secret: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    signed = b"%b.%d.%b" % (event_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
