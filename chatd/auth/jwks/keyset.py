"""Which keys of a JSON Web Key Set verify tokens. Pure. Rule J-02 of protocol.md.

A set may hold keys for other purposes, other algorithms and other software: those are left out, and say nothing against
the rest. PyJWT makes the keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chatd.auth.config import PUBLIC_KEY_ALGORITHMS, AuthConfig
from chatd.auth.files import read
from chatd.auth.keys import Key, usable_algorithms
from chatd.base.errors import ChatdError, ConfigError

MAX_KEYS: Final = 64
"""Limit on keys: a token without a kid is tried with each key of its algorithm."""

_PUBLIC_TYPES: Final = ("RSA", "EC", "OKP")


class KeySetError(ChatdError):
    """There is no usable key set; the message says why."""


class _Set(msgspec.Struct):
    keys: list[dict[str, Any]]


def parse(raw: bytes, config: AuthConfig) -> tuple[Key, ...]:
    """The keys of a set, at least one. Raises KeySetError."""
    try:
        found = msgspec.json.decode(raw, type=_Set).keys
    except (ValueError, RecursionError) as error:
        raise KeySetError(f"this is no JSON Web Key Set: {error}") from error
    if len(found) > MAX_KEYS:
        raise KeySetError(f"{len(found)} keys are more than {MAX_KEYS}")
    keys = tuple(key for one in found if (key := _key(one, config.jwt_algorithm)) is not None)
    if not keys:
        suitable = config.jwt_algorithm or "a public key"
        raise KeySetError(f"none of its {len(found)} keys verifies tokens (use sig, {suitable}, RSA of 2,048 bits)")
    return keys


def load(config: AuthConfig) -> tuple[Key, ...]:
    """The keys of the operator's file; none without one. Raises ConfigError."""
    path = config.jwks_file
    if path is None:
        return ()
    try:
        return parse(read(path, "jwks_file", config.max_jwks_bytes), config)
    except KeySetError as error:
        raise ConfigError(f"jwks_file: {path}: {error}") from error


def _key(data: Mapping[str, Any], wanted: str | None) -> Key | None:
    """The key with its algorithm, by default the usual one of its type; None if chatd cannot use it."""
    if not _is_for_signatures(data):
        return None
    import jwt  # noqa: PLC0415 - keys.py has chosen which

    try:
        made = jwt.PyJWK(dict(data))
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    usable = usable_algorithms(made.key)
    algorithm = data.get("alg") or (wanted if wanted in usable else next(iter(usable), None))
    if algorithm not in usable or algorithm != (wanted or algorithm):
        return None
    kid = data.get("kid")
    method = jwt.get_algorithm_by_name(algorithm)
    return Key(algorithm, method, made.key, kid if isinstance(kid, str) else None)


def _is_for_signatures(data: Mapping[str, Any]) -> bool:
    """RFC 7517, sections 4.1 to 4.4. What has `d` is a private key, and no longer one if everybody can read it."""
    operations = data.get("key_ops")
    return (
        data.get("kty") in _PUBLIC_TYPES
        and "d" not in data
        and data.get("use", "sig") == "sig"
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and data.get("alg", PUBLIC_KEY_ALGORITHMS[0]) in PUBLIC_KEY_ALGORITHMS
    )
