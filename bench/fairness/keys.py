"""The signer of a run's tokens, and tokens with a forged signature."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench import tokens

JUNK_TOKENS: Final = 64


@dataclass(frozen=True, slots=True)
class Signer:
    """`public_pem` is empty if tokens are signed with the secret of all benchmarks."""

    mint: Callable[[str, str], str]
    public_pem: bytes = b""

    def junk(self) -> tuple[str, ...]:
        """Tokens with a random signature."""
        return tuple(forged(self.mint(f"junk{number}", "user")) for number in range(JUNK_TOKENS))


def signer(algorithm: str) -> Signer:
    """A signer with a fresh key for ES384 or RS256, with the secret for any other algorithm."""
    match algorithm:
        case "ES384":
            return _signer(ec.generate_private_key(ec.SECP384R1()), algorithm)
        case "RS256":
            return _signer(rsa.generate_private_key(65_537, 2_048), algorithm)
        case _:
            return Signer(tokens.mint)


def _signer(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, algorithm: str) -> Signer:
    def mint(user: str, rol: str) -> str:
        claims = {"user": user, "name": user, "rol": rol, "exp": int(time.time()) + tokens.LIFETIME_S}
        return jwt.encode(claims, private, algorithm)

    return Signer(mint, private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def forged(token: str) -> str:
    """The token with a random signature, which only the whole verification can tell from a valid one.

    Its first byte is 0, so that as a number it is in the range of the key.
    """
    signed, _, signature = token.rpartition(".")
    size = len(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    return f"{signed}.{base64.urlsafe_b64encode(bytes(1) + os.urandom(size - 1)).rstrip(b'=').decode()}"
