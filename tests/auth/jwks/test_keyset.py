from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from chatd.auth.config import AuthConfig
from chatd.auth.errors import AuthError
from chatd.auth.jwks.keyset import MAX_KEYS, KeySetError, parse
from chatd.auth.keys import load_keys
from chatd.auth.verify import Verifier
from chatd.base.errors import ConfigError
from tests.auth.jwks.idp import PRIVATE_KEYS, RSA, jwk, key_set, signed
from tests.auth.tokens import sign

CONFIG = AuthConfig(jwks_url="https://login.example/keys")


def parsed(*keys: object, **settings: Any) -> list[tuple[str | None, str]]:
    """The kids and algorithms of the usable keys."""
    config = AuthConfig(jwks_url="https://login.example/keys", **settings)
    return [(key.kid, key.algorithm) for key in parse(json.dumps({"keys": keys}).encode(), config)]


def test_a_key_of_each_type_verifies_by_its_own_algorithm() -> None:
    """J-02"""
    keys = parse(key_set(*PRIVATE_KEYS), CONFIG)
    assert [(key.kid, key.algorithm) for key in keys] == [(kid, alg) for kid, (alg, _) in PRIVATE_KEYS.items()]
    for kid in PRIVATE_KEYS:
        verifier = Verifier(CONFIG, keys, lambda: 0.0)
        assert verifier.verify(signed(kid)).user == "ana"
        assert verifier.verify(signed(kid, named=None)).user == "ana"


@pytest.mark.parametrize(
    ("changes", "algorithm"),
    [
        ({}, "RS256"),
        ({"alg": ...}, "RS256"),
        ({"alg": "PS384"}, "PS384"),
        ({"use": ...}, "RS256"),
        ({"use": ..., "key_ops": ["verify"]}, "RS256"),
    ],
    ids=str,
)
def test_a_key_is_bound_to_its_alg_or_to_the_default_of_its_type(changes: dict[str, object], algorithm: str) -> None:
    """J-02"""
    assert parsed(jwk("rsa", **changes)) == [("rsa", algorithm)]


SMALL = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True)
OTHER_CURVE = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256K1()).public_key(), as_dict=True)
PRIVATE = RSAAlgorithm.to_jwk(RSA, as_dict=True)
SECRET = {"kty": "oct", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA", "alg": "HS256", "kid": "rsa"}

UNSUITABLE = {
    "for encryption": jwk("rsa", use="enc"),
    "an algorithm of encryption": jwk("rsa", alg="RSA-OAEP"),
    "not to verify with": jwk("rsa", key_ops=["encrypt"]),
    "operations that are no list": jwk("rsa", key_ops="verify"),
    "a secret": SECRET,
    "a public key as a secret": jwk("rsa", alg="HS256"),
    "no algorithm": jwk("rsa", alg="none"),
    "an algorithm of another type": jwk("rsa", alg="ES256"),
    "an algorithm of another curve": jwk("p256", alg="ES384"),
    "too few bits": SMALL,
    "another curve": OTHER_CURVE,
    "a private key": PRIVATE,
    "no type": jwk("rsa", kty=...),
    "no number": jwk("rsa", n=...),
    "a number that is none": jwk("rsa", n=7),
    "nothing in it": {},
    "a point that is not on its curve": jwk("p256", x=jwk("p384")["x"]),
}


@pytest.mark.parametrize("unsuitable", UNSUITABLE.values(), ids=UNSUITABLE)
def test_an_unusable_key_is_skipped_and_the_others_are_used(unsuitable: dict[str, Any]) -> None:
    """J-02"""
    assert parsed(unsuitable, jwk("p256")) == [("p256", "ES256")]
    with pytest.raises(KeySetError, match="none of its 1 keys verifies tokens"):
        parsed(unsuitable)


def test_a_configured_algorithm_excludes_all_others() -> None:
    """J-02: it also applies to a key that names no algorithm, if the key's type allows it."""
    keys = jwk("rsa"), jwk("rsa-2", alg=...), jwk("p256"), jwk("p256", alg=...)
    assert parsed(*keys, jwt_algorithm="PS256") == [("rsa-2", "PS256")]
    assert parsed(*keys, jwt_algorithm="ES256") == [("p256", "ES256"), ("p256", "ES256")]


def test_a_token_cannot_choose_its_algorithm() -> None:
    """J-02: neither a public key used as a secret, nor another algorithm of the same key type."""
    verifier = Verifier(CONFIG, parse(key_set("rsa"), CONFIG), lambda: 0.0)
    payload = b'{"user":"eve","name":"Eve","rol":"admin","exp":9999999999}'
    for header in ({"alg": "HS256", "kid": "rsa"}, {"alg": "none", "kid": "rsa"}, {"alg": "PS256", "kid": "rsa"}):
        with pytest.raises(AuthError):
            verifier.verify(sign(header, payload, key_set("rsa")))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "no JSON Web Key Set"),
        (b"<html>", "no JSON Web Key Set"),
        (b"[]", "no JSON Web Key Set"),
        (b'{"keys":{}}', "no JSON Web Key Set"),
        (b'{"keys":["a"]}', "no JSON Web Key Set"),
        (b'{"keys":[]}', "none of its 0 keys"),
        (b'{"keys":[' + b"[" * 100_000, "no JSON Web Key Set"),
        (json.dumps({"keys": [jwk("ed")] * (MAX_KEYS + 1)}).encode(), "65 keys are more than 64"),
    ],
    ids=["nothing", "a page", "a list", "an object", "a text", "an empty set", "deep", "too many"],
)
def test_an_invalid_key_set_has_a_clear_error(raw: bytes, why: str) -> None:
    """J-02"""
    with pytest.raises(KeySetError, match=why):
        parse(raw, CONFIG)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from(sorted(PRIVATE_KEYS)), st.sampled_from(sorted({*jwk("rsa"), *jwk("p256")})), JSON)
def test_a_key_with_any_changed_member_is_used_or_skipped(kid: str, member: str, value: object) -> None:
    """J-02"""
    found = parsed({**jwk(kid), member: value}, {**jwk("ed"), "kid": "sane"})
    assert found[-1] == ("sane", "EdDSA")
    assert len(found) <= 2


def test_a_file_with_a_key_set_is_used_together_with_other_keys(tmp_path: Path) -> None:
    """J-01: SIGHUP reads it again, as every file with keys."""
    path = tmp_path / "jwks.json"
    path.write_bytes(key_set("p256", "ed"))
    keys = load_keys(AuthConfig(jwks_file=path, jwt_secret_file=(_secret(tmp_path),)))
    assert [(key.kid, key.algorithm) for key in keys] == [(None, "HS256"), ("p256", "ES256"), ("ed", "EdDSA")]


def _secret(folder: Path) -> Path:
    path = folder / "secret"
    path.write_text("a secret of forty bytes, for tests alone")
    return path


def test_an_error_names_a_file_without_a_key_set(tmp_path: Path) -> None:
    """J-01"""
    path = tmp_path / "jwks.json"
    path.write_text("{}")
    with pytest.raises(ConfigError, match=rf"jwks_file: {path}: this is no JSON Web Key Set"):
        load_keys(AuthConfig(jwks_file=path))
    path.write_bytes(key_set("ed") + b" " * 2_000)
    with pytest.raises(ConfigError, match=rf"jwks_file: {path}"):
        load_keys(AuthConfig(jwks_file=path, max_jwks_bytes=1_024))
