from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from chatd.auth.config import AuthConfig
from chatd.auth.keys import MAX_FILE_BYTES, load_keys, load_signing_key
from chatd.auth.verify import Verifier
from chatd.base.errors import ConfigError
from tests.auth.tokens import GOOD, NOW, SECRET, token


def public_pem(private: Any) -> bytes:
    pem: bytes = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def private_pem(private: Any) -> bytes:
    pem: bytes = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def written(folder: Path, content: bytes) -> Path:
    path = folder / "key"
    path.write_bytes(content)
    return path


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256, P384, P521 = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()))
ED25519, ED448 = ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (SECRET.encode(), SECRET.encode()),
        (SECRET.encode() + b"\n", SECRET.encode()),
        (SECRET.encode() + b"\r\n", SECRET.encode()),
        (SECRET.encode() + b"\n\n", SECRET.encode() + b"\n"),
        (bytes(range(200, 256)), bytes(range(200, 256))),
    ],
)
def test_the_final_newline_of_a_secret_file_is_stripped(tmp_path: Path, content: bytes, secret: bytes) -> None:
    key = load_signing_key(AuthConfig(jwt_secret_file=(written(tmp_path, content),)))
    assert (key.algorithm, key.material, key.kid) == ("HS256", secret, None)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + SECRET.encode() + b"\n",
        SECRET.encode("utf-16"),
        b"\xff\xfe" + SECRET.encode("utf-16-le"),
        b"\xfe\xff" + f"{SECRET}\r\n".encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-16", "little endian", "big endian"],
)
def test_a_secret_file_with_a_byte_order_mark_is_refused(tmp_path: Path, content: bytes) -> None:
    """C-26: every token would be refused for no visible reason"""
    with pytest.raises(ConfigError, match=r"begins with a byte order mark.* save it as UTF-8 without one") as caught:
        load_keys(AuthConfig(jwt_secret_file=(written(tmp_path, content),)))
    assert str(caught.value).startswith(f"jwt_secret_file: {tmp_path / 'key'}")


def test_a_random_secret_may_begin_with_the_bytes_of_a_byte_order_mark(tmp_path: Path) -> None:
    secret = b"\xff\xfe" + bytes(range(1, 40))
    assert load_signing_key(AuthConfig(jwt_secret_file=(written(tmp_path, secret),))).material == secret


def test_a_public_key_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    (key,) = load_keys(AuthConfig(jwt_public_key_file=(written(tmp_path, b"\xef\xbb\xbf" + public_pem(RSA)),)))
    assert key.algorithm == "RS256"


def test_a_secret_verifies_what_it_signed() -> None:
    config = AuthConfig(jwt_secret=SECRET)
    assert Verifier(config, load_keys(config), lambda: NOW).verify(token()).user == "maria"


@pytest.mark.parametrize(("algorithm", "least"), [(None, 32), ("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_shorter_than_the_digest_is_refused(algorithm: str | None, least: int) -> None:
    assert load_keys(AuthConfig(jwt_secret="x" * least, jwt_algorithm=algorithm))
    with pytest.raises(ConfigError, match=rf"has {least - 1} bytes.* at least {least}; make one with") as caught:
        load_keys(AuthConfig(jwt_secret="x" * (least - 1), jwt_algorithm=algorithm))
    assert "xx" not in str(caught.value)


def test_a_secret_is_counted_in_bytes() -> None:
    assert load_keys(AuthConfig(jwt_secret="ñ" * 16))


def test_a_secret_that_is_not_utf8_keeps_its_bytes() -> None:
    assert load_signing_key(AuthConfig(jwt_secret=os.fsdecode(b"\xff" * 32))).material == b"\xff" * 32


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({}, ["--jwt-secret-file", "CHATD_JWT_SECRET", "--jwt-public-key-file"]),
        ({"jwt_secret": SECRET, "jwt_secret_file": (Path("f"),)}, ["CHATD_JWT_SECRET", "--jwt-secret-file"]),
        ({"jwt_secret": SECRET, "jwt_public_key_file": (Path("f"),)}, ["CHATD_JWT_SECRET", "--jwt-public-key-file"]),
        ({"jwt_secret": SECRET, "jwt_algorithm": "RS256"}, ["jwt_algorithm", "--jwt-public-key-file"]),
        ({"jwt_secret_file": (Path("/nowhere/f"),)}, ["jwt_secret_file", "/nowhere/f", "No such file"]),
        ({"jwt_secret_file": (Path("/"),)}, ["jwt_secret_file", "no regular file"]),
        ({"jwt_public_key_file": (Path("/nowhere/f"),)}, ["jwt_public_key_file", "/nowhere/f"]),
    ],
    ids=str,
)
def test_contradictory_key_settings_are_refused_by_name(config: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_keys(AuthConfig(**config))
    assert [word for word in named if word not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


def test_a_named_pipe_is_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="no regular file"):
        load_keys(AuthConfig(jwt_secret_file=(tmp_path / "pipe",)))


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="wrong file"):
        load_keys(AuthConfig(jwt_secret_file=(written(tmp_path, b"x" * (MAX_FILE_BYTES + 1)),)))


@pytest.mark.parametrize("content", [public_pem(RSA), private_pem(P256), b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ"])
def test_a_key_file_given_as_a_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError, match="--jwt-public-key-file"):
        load_keys(AuthConfig(jwt_secret_file=(written(tmp_path, content),)))


@pytest.mark.parametrize(
    ("private", "given", "used"),
    [
        (RSA, None, "RS256"),
        (RSA, "RS512", "RS512"),
        (RSA, "PS256", "PS256"),
        (P256, None, "ES256"),
        (P384, None, "ES384"),
        (P521, None, "ES512"),
        (ED25519, None, "EdDSA"),
        (ED448, "EdDSA", "EdDSA"),
    ],
)
def test_the_algorithm_follows_from_the_type_of_a_public_key(
    tmp_path: Path, private: Any, given: str | None, used: str
) -> None:
    config = AuthConfig(jwt_public_key_file=(written(tmp_path, public_pem(private)),), jwt_algorithm=given)
    keys = load_keys(config)
    assert [key.algorithm for key in keys] == [used]
    signed = jwt.encode(dict(GOOD), private, used)
    assert Verifier(config, keys, lambda: NOW).verify(signed).user == "maria"


@pytest.mark.parametrize(
    ("content", "algorithm", "said"),
    [
        (public_pem(RSA), "HS256", "HS256 does not go with"),
        (public_pem(RSA), "ES256", "use RS256 or"),
        (public_pem(P256), "ES384", "use ES256"),
        (public_pem(ED25519), "RS256", "use EdDSA"),
        (private_pem(RSA), None, "openssl pkey"),
        (b"", None, "BEGIN PUBLIC KEY"),
        (b"not a key", None, "BEGIN PUBLIC KEY"),
        (public_pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), None, "1024 bits are too few"),
        (public_pem(ec.generate_private_key(ec.SECP256K1())), None, "take an RSA"),
        (public_pem(x25519.X25519PrivateKey.generate()), None, "take an RSA"),
    ],
)
def test_a_public_key_that_cannot_be_used_is_refused(
    tmp_path: Path, content: bytes, algorithm: str | None, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        load_keys(AuthConfig(jwt_public_key_file=(written(tmp_path, content),), jwt_algorithm=algorithm))


def test_a_public_key_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot sign"):
        load_signing_key(AuthConfig(jwt_public_key_file=(written(tmp_path, public_pem(P256)),)))


def test_repr_does_not_contain_keys() -> None:
    assert SECRET not in repr(load_keys(AuthConfig(jwt_secret=SECRET)))


def secrets(folder: Path, *names: str) -> list[Path]:
    """Files of these names; each contains a secret that starts with its name."""
    for name in names:
        (folder / name).write_text(f"{name} " + "x" * 40)
    return [folder / name for name in names]


def test_several_secrets_and_keys_are_valid_together_with_or_without_kid(tmp_path: Path) -> None:
    """C-26"""
    (tmp_path / "rsa").write_bytes(public_pem(RSA))
    (tmp_path / "ec").write_bytes(public_pem(P256))
    old, new = secrets(tmp_path, "old", "new")
    config = AuthConfig(
        jwt_secret_file=(Path(f"2026={new}"), old),
        jwt_public_key_file=(tmp_path / "rsa", Path(f"ec={tmp_path / 'ec'}")),
    )
    keys = load_keys(config)
    assert [(key.kid, key.algorithm) for key in keys] == [
        ("2026", "HS256"),
        (None, "HS256"),
        (None, "RS256"),
        ("ec", "ES256"),
    ]
    signing = load_signing_key(config)
    assert signing.kid == "2026"
    assert signing.material.startswith(b"new")


def test_the_kid_ends_at_the_first_equals_sign_and_contains_no_slash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-26"""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a=b").mkdir()
    secrets(tmp_path, "f", "c=d", "a=b/f")
    for given, kid in [
        ("f", None),
        (str(tmp_path / "c=d"), None),
        ("k=f", "k"),
        ("k=c=d", "k"),
        ("k=~/f", "k"),
        ("k=./a=b/f", "k"),
    ]:
        assert load_signing_key(AuthConfig(jwt_secret_file=(Path(given),))).kid == kid
    assert load_signing_key(AuthConfig(jwt_secret_file=(tmp_path / "a=b" / "f",))).kid is None
    for wrong in ("=f", "k="):
        with pytest.raises(ConfigError, match="write KID=FILE, or the whole path"):
            load_keys(AuthConfig(jwt_secret_file=(Path(wrong),)))


def test_two_keys_with_one_kid_are_refused(tmp_path: Path) -> None:
    """C-26"""
    (tmp_path / "rsa").write_bytes(public_pem(RSA))
    one, two = secrets(tmp_path, "one", "two")
    for config in (
        AuthConfig(jwt_secret_file=(Path(f"k={one}"), Path(f"k={two}"))),
        AuthConfig(jwt_secret_file=(Path(f"k={one}"),), jwt_public_key_file=(Path(f"k={tmp_path / 'rsa'}"),)),
    ):
        with pytest.raises(ConfigError, match="two keys have the kid k"):
            load_keys(config)


@pytest.mark.parametrize("private", [RSA, P256, P384, P521, ED25519, ED448], ids=lambda key: type(key).__name__)
def test_equal_public_keys_compare_equal_whatever_their_kid(tmp_path: Path, private: Any) -> None:
    """C-27"""
    (tmp_path / "key").write_bytes(public_pem(private))
    (tmp_path / "other").write_bytes(public_pem(another(private)))
    [key] = load_keys(AuthConfig(jwt_public_key_file=(tmp_path / "key",)))
    [again] = load_keys(AuthConfig(jwt_public_key_file=(Path(f"named={tmp_path / 'key'}"),)))
    [foreign] = load_keys(AuthConfig(jwt_public_key_file=(tmp_path / "other",)))
    assert key.is_same(again)
    assert not key.is_same(foreign)


def another(private: Any) -> Any:
    """Another key of the same type."""
    match private:
        case rsa.RSAPrivateKey():
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case ec.EllipticCurvePrivateKey():
            return ec.generate_private_key(private.curve)
        case ed25519.Ed25519PrivateKey():
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return ed448.Ed448PrivateKey.generate()


def test_one_secret_with_two_algorithms_is_two_keys() -> None:
    """C-27"""
    [sha256] = load_keys(AuthConfig(jwt_secret="x" * 64))
    [again] = load_keys(AuthConfig(jwt_secret="x" * 64))
    [sha512] = load_keys(AuthConfig(jwt_secret="x" * 64, jwt_algorithm="HS512"))
    assert sha256.is_same(again)
    assert not sha256.is_same(sha512)
