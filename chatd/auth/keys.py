"""What tokens are verified with: a shared secret or a public key, never both.

A key is bound to one algorithm before the first token arrives, so a token cannot choose how it is checked: that is what
defeats `alg: none` and a public key passed off as a secret.
"""

# ruff: noqa: PLC0415 - PyJWT and cryptography are imported once it is known which of them is needed

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatd.auth.config import PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS, AuthConfig
from chatd.auth.pyjwt import import_pyjwt
from chatd.errors import ConfigError

if TYPE_CHECKING:
    from jwt.algorithms import Algorithm

# A key must be as long as the hash: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
MIN_SECRET_BYTES: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
MIN_RSA_BITS: Final = 2048  # https://www.rfc-editor.org/rfc/rfc7518#section-3.3
MAX_FILE_BYTES: Final = 65_536

_HOW_TO_MAKE_ONE: Final = "make one with: openssl rand -hex 32 > FILE"


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """One key and its one algorithm."""

    algorithm: str
    method: Algorithm = dataclasses.field(repr=False)
    material: Any = dataclasses.field(repr=False)
    kid: str | None = None

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this key, by its algorithm, made `signature` for `message`."""
        return self.method.verify(message, self.material, signature)


def load_keys(config: AuthConfig) -> tuple[Key, ...]:
    """Read and check what the operator configured. Raises ConfigError."""
    _exactly_one_source(config)
    if config.jwt_public_key_file is not None:
        return (_public_key(config, config.jwt_public_key_file),)
    return (_secret_key(config),)


def load_secret(config: AuthConfig) -> tuple[str, bytes]:
    """The algorithm and the secret that sign tokens. Raises ConfigError, also where there is only a public key."""
    _exactly_one_source(config)
    if config.jwt_public_key_file is not None:
        raise ConfigError("a public key verifies tokens but cannot sign them: give the secret, or sign elsewhere")
    key = _secret_key(config)
    return key.algorithm, key.material


def _exactly_one_source(config: AuthConfig) -> None:
    sources = {
        "CHATD_JWT_SECRET": config.jwt_secret,
        "--jwt-secret-file": config.jwt_secret_file,
        "--jwt-public-key-file": config.jwt_public_key_file,
    }
    given = [name for name, value in sources.items() if value is not None]
    if not given:
        raise ConfigError(
            f"no secret to verify tokens with: give --jwt-secret-file FILE ({_HOW_TO_MAKE_ONE}), the variable "
            "CHATD_JWT_SECRET, or --jwt-public-key-file FILE"
        )
    if len(given) > 1:
        raise ConfigError(f"more than one key to verify tokens with: keep one of {', '.join(given)}")


def _secret_key(config: AuthConfig) -> Key:
    algorithm = config.jwt_algorithm or SECRET_ALGORITHMS[0]
    if algorithm not in SECRET_ALGORITHMS:
        raise ConfigError(f"jwt_algorithm: {algorithm} needs --jwt-public-key-file; a secret goes with HS256")
    source, secret = _read_secret(config)
    if len(secret) < MIN_SECRET_BYTES[algorithm]:
        raise ConfigError(
            f"{source}: the secret has {len(secret)} bytes, {algorithm} needs at least "
            f"{MIN_SECRET_BYTES[algorithm]}; {_HOW_TO_MAKE_ONE}"
        )
    import_pyjwt(public_keys=False)
    import jwt

    method = jwt.get_algorithm_by_name(algorithm)
    try:
        return Key(algorithm, method, method.prepare_key(secret))
    except jwt.InvalidKeyError as error:
        raise ConfigError(f"{source}: this is a key or a certificate, no secret; try --jwt-public-key-file") from error


def _read_secret(config: AuthConfig) -> tuple[str, bytes]:
    if config.jwt_secret_file is not None:
        path = config.jwt_secret_file
        return f"jwt_secret_file: {path}", _read(path, "jwt_secret_file").removesuffix(b"\n").removesuffix(b"\r")
    return "CHATD_JWT_SECRET", os.fsencode(config.jwt_secret or "")


def _public_key(config: AuthConfig, path: Path) -> Key:
    raw = _read(path, "jwt_public_key_file")
    import_pyjwt(public_keys=True)
    import jwt

    material, usable = _load_public_key(raw, path)
    algorithm = config.jwt_algorithm or usable[0]
    if algorithm not in usable:
        raise ConfigError(f"jwt_algorithm: {algorithm} does not go with the key in {path}; use {' or '.join(usable)}")
    method = jwt.get_algorithm_by_name(algorithm)
    return Key(algorithm, method, method.prepare_key(material))


def _load_public_key(raw: bytes, path: Path) -> tuple[Any, tuple[str, ...]]:
    """The key in the file and the algorithms that go with its type, the usual one first."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            f"jwt_public_key_file: {path} holds no public key in PEM form (-----BEGIN PUBLIC KEY-----); "
            "get it with: openssl pkey -in PRIVATE -pubout, or from a certificate with: openssl x509 -pubkey -noout"
        ) from error
    usable: tuple[str, ...] = ()
    match key:
        case rsa.RSAPublicKey() if key.key_size < MIN_RSA_BITS:
            raise ConfigError(f"jwt_public_key_file: {path}: {key.key_size} bits are too few, take {MIN_RSA_BITS}")
        case rsa.RSAPublicKey():
            usable = tuple(name for name in PUBLIC_KEY_ALGORITHMS if name[:2] in {"RS", "PS"})
        case ec.EllipticCurvePublicKey():
            by_curve = {"secp256r1": ("ES256",), "secp384r1": ("ES384",), "secp521r1": ("ES512",)}
            usable = by_curve.get(key.curve.name, ())
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            usable = ("EdDSA",)
    if not usable:
        raise ConfigError(f"jwt_public_key_file: {path}: take an RSA, P-256, P-384, P-521, Ed25519 or Ed448 key")
    return key, usable


def _read(path: Path, setting: str) -> bytes:
    """The whole of a small regular file: it is read again on a reload, which a pipe would not survive."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{setting}: {path} is no regular file")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{setting}: cannot read {path}: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"{setting}: {path} is larger than {MAX_FILE_BYTES} bytes: the wrong file?")
    return content
