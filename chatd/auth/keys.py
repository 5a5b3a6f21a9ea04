"""The keys that verify tokens: any number of shared secrets and public keys.

A key is bound to one algorithm before the first token arrives, so a token cannot choose how it is checked: that is what
defeats `alg: none` and a public key passed off as a secret. A key may have a name, the `kid` of tokens: where key and
token both have one they must agree, and otherwise the key is tried. Rule C-26 of protocol.md.
"""

# ruff: noqa: PLC0415 - PyJWT and cryptography are imported once it is known which of them is needed

from __future__ import annotations

import codecs
import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatd.auth.config import PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS, AuthConfig
from chatd.auth.files import read
from chatd.auth.pyjwt import import_pyjwt
from chatd.base.errors import ConfigError

if TYPE_CHECKING:
    from jwt.algorithms import Algorithm

# A key must be as long as the hash: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
MIN_SECRET_BYTES: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
MIN_RSA_BITS: Final = 2048  # https://www.rfc-editor.org/rfc/rfc7518#section-3.3
MAX_FILE_BYTES: Final = 65_536

# What a signature check takes, in units of 10 µs: OpenSSL 3 by cryptography 50, RSA with 4,096 bits.
CHECK_PRICES: Final = {"HS": 1, "RS": 22, "PS": 22, "ES": 160, "Ed": 50}
CHECK_PRICE_ES256: Final = 24

# With a zero in every other byte, too: of a secret at random, one in 32,768 begins so.
_BOMS_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_HOW_TO_MAKE_ONE: Final = "make one with: (umask 077; openssl rand -hex 32 > FILE)"


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """One key and its one algorithm."""

    algorithm: str
    method: Algorithm = dataclasses.field(repr=False)
    material: Any = dataclasses.field(repr=False)
    kid: str | None = None

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's signature of `message`."""
        return self.method.verify(message, self.material, signature)

    @property
    def check_price(self) -> int:
        """The cost of `signed` in units of 10 µs."""
        return CHECK_PRICE_ES256 if self.algorithm == "ES256" else CHECK_PRICES[self.algorithm[:2]]

    def is_same(self, other: Key) -> bool:
        """Whether both keys verify the same signatures; names do not matter."""
        return self.algorithm == other.algorithm and bool(self.material == other.material)


def load_keys(config: AuthConfig) -> tuple[Key, ...]:
    """Read and check what the operator configured. Raises ConfigError."""
    _check_sources(config)
    # Public keys first: they need the whole of PyJWT, and so it is imported once.
    provided = _keys_of_provider(config)
    public = [_public_key(config, *_named(path, "jwt_public_key_file")) for path in config.jwt_public_key_file]
    keys = (*_secret_keys(config), *public)
    names = [key.kid for key in keys if key.kid is not None]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two keys have the kid {name}: give each its own")
    return (*keys, *provided)


def load_signing_key(config: AuthConfig) -> Key:
    """The secret that signs tokens: the first one. Raises ConfigError, also where there are public keys alone."""
    _check_sources(config)
    for key in _secret_keys(config):
        return key
    raise ConfigError("a public key verifies tokens but cannot sign them: give the secret, or sign elsewhere")


def _check_sources(config: AuthConfig) -> None:
    if config.jwt_secret is None and not config.jwt_secret_file and not config.has_keys_of_others:
        raise ConfigError(
            f"no secret to verify tokens with: give --jwt-secret-file FILE ({_HOW_TO_MAKE_ONE}), the variable "
            "CHATD_JWT_SECRET, --jwt-public-key-file FILE, or --jwks-url URL of an identity provider"
        )
    files = {
        "--jwt-secret-file": config.jwt_secret_file,
        "--jwt-public-key-file": config.jwt_public_key_file,
        "--jwks-file": config.jwks_file,
        "--jwks-url": config.jwks_url,
    }
    beside = [name for name, paths in files.items() if paths]
    if config.jwt_secret is not None and beside:
        raise ConfigError(
            f"more than one secret or key, and not all in files: keep one of CHATD_JWT_SECRET, {beside[0]}"
        )


def _named(path: Path, setting: str) -> tuple[str | None, Path]:
    """The kid and the file in KID=FILE. What has a slash in front of its first "=" is a path and nothing else."""
    kid, equals, rest = str(path).partition("=")
    if not equals or "/" in kid:
        return None, path
    if not kid or not rest:
        raise ConfigError(f"{setting}: {path}: write KID=FILE, or the whole path of a file that has a = in its name")
    return kid, Path(rest).expanduser()


def _secret_keys(config: AuthConfig) -> list[Key]:
    if config.jwt_secret is not None:
        return [_secret_key(config, "CHATD_JWT_SECRET", None, os.fsencode(config.jwt_secret))]
    keys = []
    for given in config.jwt_secret_file:
        kid, path = _named(given, "jwt_secret_file")
        secret = _secret_in(path).removesuffix(b"\n").removesuffix(b"\r")
        keys.append(_secret_key(config, f"jwt_secret_file: {path}", kid, secret))
    return keys


def _secret_in(path: Path) -> bytes:
    """The bytes of a file. A byte order mark is refused: the other side would sign without it."""
    secret = read(path, "jwt_secret_file", MAX_FILE_BYTES)
    if secret.startswith(codecs.BOM_UTF8) or (secret.startswith(_BOMS_UTF16) and b"\0" in secret):
        raise ConfigError(
            f"jwt_secret_file: {path} begins with a byte order mark, which an editor or PowerShell has put in front of "
            "the secret: save it as UTF-8 without one (or as ASCII)"
        )
    return secret


def _secret_key(config: AuthConfig, source: str, kid: str | None, secret: bytes) -> Key:
    algorithm = config.jwt_algorithm or SECRET_ALGORITHMS[0]
    if algorithm not in SECRET_ALGORITHMS:
        raise ConfigError(f"jwt_algorithm: {algorithm} needs --jwt-public-key-file; a secret goes with HS256")
    if len(secret) < MIN_SECRET_BYTES[algorithm]:
        raise ConfigError(
            f"{source}: the secret has {len(secret)} bytes, {algorithm} needs at least "
            f"{MIN_SECRET_BYTES[algorithm]}; {_HOW_TO_MAKE_ONE}"
        )
    import_pyjwt(public_keys=False)
    import jwt

    method = jwt.get_algorithm_by_name(algorithm)
    try:
        return Key(algorithm, method, method.prepare_key(secret), kid)
    except jwt.InvalidKeyError as error:
        raise ConfigError(f"{source}: this is a key or a certificate, no secret; try --jwt-public-key-file") from error


def _public_key(config: AuthConfig, kid: str | None, path: Path) -> Key:
    raw = read(path, "jwt_public_key_file", MAX_FILE_BYTES)
    import_pyjwt(public_keys=True)
    import jwt

    material, usable = _load_public_key(raw, path)
    algorithm = config.jwt_algorithm or usable[0]
    if algorithm not in usable:
        raise ConfigError(f"jwt_algorithm: {algorithm} does not go with the key in {path}; use {' or '.join(usable)}")
    method = jwt.get_algorithm_by_name(algorithm)
    return Key(algorithm, method, method.prepare_key(material), kid)


def _keys_of_provider(config: AuthConfig) -> tuple[Key, ...]:
    """Those in a file. Those at a URL come later, and what makes them is there before anything else of PyJWT is."""
    if config.jwks_url is None and config.jwks_file is None:
        return ()
    import_pyjwt(public_keys=True)
    from chatd.auth.jwks.keyset import load

    return load(config)


def _load_public_key(raw: bytes, path: Path) -> tuple[Any, tuple[str, ...]]:
    """The key in the file and the algorithms of its type, the usual one first."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            f"jwt_public_key_file: {path} holds no public key in PEM form (-----BEGIN PUBLIC KEY-----); "
            "get it with: openssl pkey -in PRIVATE -pubout, or from a certificate with: openssl x509 -pubkey -noout"
        ) from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        raise ConfigError(f"jwt_public_key_file: {path}: {key.key_size} bits are too few, take {MIN_RSA_BITS}")
    usable = usable_algorithms(key)
    if not usable:
        raise ConfigError(f"jwt_public_key_file: {path}: take an RSA, P-256, P-384, P-521, Ed25519 or Ed448 key")
    return key, usable


def usable_algorithms(key: object) -> tuple[str, ...]:
    """The algorithms for the type of a public key, the usual one first; none if the key is unusable."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    match key:
        case rsa.RSAPublicKey() if key.key_size >= MIN_RSA_BITS:
            return tuple(name for name in PUBLIC_KEY_ALGORITHMS if name[:2] in {"RS", "PS"})
        case ec.EllipticCurvePublicKey():
            by_curve = {"secp256r1": ("ES256",), "secp384r1": ("ES384",), "secp521r1": ("ES512",)}
            return by_curve.get(key.curve.name, ())
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return ("EdDSA",)
    return ()
