from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.config import PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS, AuthConfig
from chatd.auth.deny import DenyList
from chatd.auth.errors import AuthCode, AuthError
from chatd.auth.identity import Identity
from chatd.auth.keys import CHECK_PRICES, Key, load_keys
from chatd.auth.verify import MAX_TOKEN_CHARS, Verifier
from tests.auth.tokens import GOOD, NOW, SECRET, base64url, sign, token, verifier

INVALID, EXPIRED, CLAIMS = AuthCode.TOKEN_INVALID, AuthCode.TOKEN_EXPIRED, AuthCode.CLAIMS_INVALID
END = int(NOW) + 60
NESTED = b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}"


def refusal(text: str, checked_by: Verifier | None = None) -> AuthError:
    with pytest.raises(AuthError) as caught:
        (checked_by or verifier()).verify(text)
    return caught.value


def settings(**changes: Any) -> AuthConfig:
    return AuthConfig(jwt_secret=SECRET, **{"jwt_leeway_s": 0, **changes})


def test_a_valid_token_gives_the_identity() -> None:
    assert verifier().verify(token(jti="j-1", extra={"a": [1]})) == Identity("maria", "María López", "user", END, "j-1")
    assert verifier().verify(token()).token_id is None


@pytest.mark.parametrize(
    ("claims", "address"),
    [
        ({"mail": "ana.b+c@example.com"}, "ana.b+c@example.com"),
        ({}, None),
        ({"mail": ""}, None),
        ({"mail": 7}, None),
        ({"mail": ["a@example.com"]}, None),
        ({"mail": "Ana <a@example.com>"}, None),
        ({"mail": "a@example.com\r\nBcc: b@example.com"}, None),
        ({"mail": "a@example.com\n"}, None),
        ({"mail": "a@b@c"}, None),
        ({"mail": "ñ@example.com"}, None),
        ({"mail": "a@" + "b" * 253}, None),
        ({"email": "a@example.com"}, None),
    ],
)
def test_the_email_address_is_read_from_the_configured_claim_and_is_optional(
    claims: dict[str, Any], address: str | None
) -> None:
    """M-06"""
    identity = Verifier(settings(email_claim="mail"), load_keys(settings()), lambda: NOW).verify(token(**claims))
    assert identity.email == address
    assert verifier().verify(token(**claims)).email is None
    assert "example.com" not in repr(identity)


def test_the_claim_of_the_email_address_may_be_user() -> None:
    """M-06"""
    ours = Verifier(settings(email_claim="user"), load_keys(settings()), lambda: NOW)
    assert ours.verify(token(user="a@example.com")).email == "a@example.com"


@pytest.mark.parametrize(("rol", "admin"), [("admin", True), ("Admin", False), ("admin ", False), ("user", False)])
def test_only_the_exact_rol_admin_is_an_admin(rol: str, admin: bool) -> None:
    assert verifier().verify(token(rol=rol)).is_admin is admin


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW + 60.9},
        {"exp": 2**53},
        {"nbf": int(NOW), "iat": int(NOW)},
        {"nbf": 12.75, "iat": 0},
        {"nbf": NOW + 0.4, "iat": NOW + 0.4},
        {"iat": int(NOW) + 1},
        {"iat": int(NOW) + 10**9},
        {"iat": str(int(NOW))},
        {"iat": -1},
        {"iat": 1e300},
        {"iat": 10**400},
        {"iat": None},
        {"iat": True},
        {"iat": {}},
        {"iat": [[["x"]]]},
        {"jti": 7},
        {"jti": None},
        {"jti": ["a"]},
        {"jti": 1.5},
        {"jti": False},
        {"iss": 7},
        {"iss": None},
        {"iss": ["login"]},
        {"sub": {"id": 1}},
        {"aud": None},
        {"aud": 7},
        {"aud": {}},
        {"aud": [7, None]},
        {"aud": [""]},
        {"user": "x" * 128, "name": "👩‍💻" * 40, "rol": "r"},
        {"user": "admins"},
        {"user": " ñandú/<b>\u2028"},
        {"aud": ""},
        {"aud": []},
        {"sub": 12, "iss": "anybody"},
    ],
    ids=str,
)
def test_unusual_but_valid_claims_are_accepted(changes: dict[str, object]) -> None:
    identity = verifier().verify(token(**changes))
    assert identity.user == changes.get("user", "maria")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # Not a token.
        ("", INVALID),
        ("abc", INVALID),
        ("..", INVALID),
        ("a.b.c", INVALID),
        ("ñ" * 40, INVALID),
        ("\udcff", INVALID),
        (f" {token()}", INVALID),
        (f"{token()}\n", INVALID),
        (f"{token()}=", INVALID),
        (f"{token()}.x", INVALID),
        (token().replace(".", "%2E"), INVALID),
        ("a" * (MAX_TOKEN_CHARS + 1), INVALID),
        (token(name="x" * MAX_TOKEN_CHARS), INVALID),
        # Header.
        (token(header={"alg": "none"}), INVALID),
        (token(header={"alg": "none"}).rpartition(".")[0] + ".", INVALID),
        (token(header={"alg": "None"}), INVALID),
        (token(header={"alg": "HS512"}), INVALID),
        (token(header={"alg": "RS256"}), INVALID),
        (token(header={"alg": ["HS256"]}), INVALID),
        (token(header={"alg": None}), INVALID),
        (token(header={}), INVALID),
        (token(header=[]), INVALID),
        (token(header="HS256"), INVALID),
        (token(header={"alg": "HS256", "kid": 7}), INVALID),
        (token(header={"alg": "HS256", "kid": None}), INVALID),
        (token(header={"alg": "HS256", "crit": ["x"], "x": 1}), INVALID),
        (token(header={"alg": "HS256", "crit": []}), INVALID),
        (token(header={"alg": "HS256", "b64": False}), INVALID),
        (token(header={"alg": "HS256", "b64": False, "crit": ["b64"]}), INVALID),
        # Signature.
        (sign({"alg": "HS256"}, json.dumps(GOOD).encode(), b"another secret of forty bytes for a test"), INVALID),
        (sign({"alg": "HS256"}, json.dumps(GOOD).encode(), b""), INVALID),
        # Time claims.
        (token(exp=int(NOW)), EXPIRED),
        (token(exp=NOW + 0.4), EXPIRED),
        (token(exp=0), EXPIRED),
        (token(nbf=int(NOW) + 1), INVALID),
        (token(exp=...), CLAIMS),
        (token(exp=None), CLAIMS),
        (token(exp=str(END)), CLAIMS),
        (token(exp=True), CLAIMS),
        (token(exp=-1), CLAIMS),
        (token(exp=2**53 + 1), CLAIMS),
        (token(exp=10**400), CLAIMS),
        (token(exp=1e300), CLAIMS),
        (token(exp=float("nan")), CLAIMS),
        (token(exp=float("inf")), CLAIMS),
        (token(exp=[END]), CLAIMS),
        (token(nbf="1"), CLAIMS),
        (token(nbf=False), CLAIMS),
        # Issuer or audience.
        (token(aud="another"), INVALID),
        (token(aud=["another", "third"]), INVALID),
        (token(aud=["a", 7]), INVALID),
        # User, name and role.
        (token(user=...), CLAIMS),
        (token(name=...), CLAIMS),
        (token(rol=...), CLAIMS),
        (token(user=""), CLAIMS),
        (token(name=""), CLAIMS),
        (token(rol=""), CLAIMS),
        (token(user=None), CLAIMS),
        (token(user=7), CLAIMS),
        (token(name=True), CLAIMS),
        (token(rol=["admin"]), CLAIMS),
        (token(user="x" * 129), CLAIMS),
        (token(user="a\nb"), CLAIMS),
        (token(name="a\x00"), CLAIMS),
        (token(rol="admin\x85"), CLAIMS),
        (token(user="\x7f"), CLAIMS),
        (token(user="\ud800"), CLAIMS),
        # The payload is not an object.
        (token(claims=[]), CLAIMS),
        (token(claims="maria"), CLAIMS),
        (sign({"alg": "HS256"}, b""), CLAIMS),
        (sign({"alg": "HS256"}, b"\xff\xfe"), CLAIMS),
        (sign({"alg": "HS256"}, b'{"user":"\xed\xa0\x80"}'), CLAIMS),
        (sign({"alg": "HS256"}, json.dumps({**GOOD, "x": "?"}).encode().replace(b"?", b"\xff")), CLAIMS),
        (sign({"alg": "HS256"}, NESTED), CLAIMS),
    ],
    ids=lambda value: str(value)[-24:],
)
def test_an_invalid_token_is_refused_with_the_code_of_its_fault(text: str, code: AuthCode) -> None:
    error = refusal(text)
    assert error.code == code
    assert error.message.endswith(".")
    assert len(error.message) < 200


def test_the_error_of_a_wrong_audience_names_the_setting() -> None:
    """C-64: RFC 7519, section 4.1.3; Node.js libraries check `aud` only on request, so the error names the setting"""
    assert "--jwt-audience" in refusal(token(aud="another")).message
    strict = verifier(config=settings(jwt_audience=("chat",), jwt_issuer="login"))
    assert "--jwt-audience" in refusal(token(iss="login"), strict).message
    assert "--jwt-audience" in refusal(token(iss="login", aud="another"), strict).message
    assert "--jwt-issuer" in refusal(token(iss="another", aud="chat"), strict).message
    assert "another" not in refusal(token(aud="another-one")).message.replace("another audience", "")


@pytest.mark.parametrize(
    ("jti", "known"),
    [("j-1", "j-1"), (7, "7"), (-7, "-7"), (10**38, str(10**38)), (True, None), ([], None), (7.0, None)],
)
def test_a_numeric_jti_is_denied_by_its_digits(jti: object, known: str | None) -> None:
    """C-25, C-64"""
    assert verifier().verify(token(jti=jti)).token_id == known
    listed = Verifier(settings(), load_keys(settings()), lambda: NOW, DenyList(jti=frozenset({"7"})))
    if known == "7":
        assert refusal(token(jti=jti), listed).code == AuthCode.TOKEN_DENIED
    else:
        assert listed.verify(token(jti=jti)).user == "maria"


def test_the_error_names_a_claim_of_the_wrong_type() -> None:
    assert "$.rol" in refusal(token(rol=7)).message
    assert "`name`" in refusal(token(name=...)).message


def test_the_leeway_applies_to_exp_and_to_nbf() -> None:
    lenient = verifier(config=settings(jwt_leeway_s=5))
    assert lenient.verify(token(exp=int(NOW) - 4)).expires_at == int(NOW) + 1
    assert refusal(token(exp=int(NOW) - 5), lenient).code == EXPIRED
    assert lenient.verify(token(nbf=int(NOW) + 5)).user == "maria"
    assert refusal(token(nbf=int(NOW) + 6), lenient).code == INVALID


def test_a_fresh_token_is_valid_if_the_issuer_s_clock_is_seconds_ahead() -> None:
    """C-61"""
    by_default = verifier(config=AuthConfig(jwt_secret=SECRET))
    assert by_default.verify(token(nbf=int(NOW) + 3)).user == "maria"
    assert refusal(token(nbf=int(NOW) + 11), by_default).code == INVALID
    assert refusal(token(exp=int(NOW) - 10), by_default).code == EXPIRED


def test_a_token_is_valid_until_the_second_of_exp() -> None:
    assert verifier(int(NOW) + 59.999).verify(token()).expires_at == END
    assert refusal(token(), verifier(int(NOW) + 60.0)).code == EXPIRED


def test_a_token_without_exp_is_accepted_if_the_setting_allows_it() -> None:
    eternal = verifier(config=settings(jwt_require_exp=False))
    assert eternal.verify(token(exp=...)).expires_at is None
    assert refusal(token(exp=int(NOW)), eternal).code == EXPIRED


@pytest.mark.parametrize(
    ("iss", "holds"),
    [("https://login", True), ("https://login/", False), ("", False), (..., False), (["https://login"], False)],
)
def test_the_issuer_must_be_the_configured_one(iss: object, holds: bool) -> None:
    strict = verifier(config=settings(jwt_issuer="https://login"))
    if holds:
        assert strict.verify(token(iss=iss)).user == "maria"
    else:
        assert refusal(token(iss=iss), strict).code == INVALID


@pytest.mark.parametrize(
    ("aud", "holds"),
    [
        ("chat", True),
        (["x", "chat"], True),
        ("support", True),
        ("cha", False),
        (["x"], False),
        (..., False),
        ("", False),
        ([], False),
        (7, False),
        (None, False),
        (["x", 7, "chat"], True),
    ],
)
def test_the_audience_must_be_one_of_the_configured_ones(aud: object, holds: bool) -> None:
    strict = verifier(config=settings(jwt_audience=("chat", "support")))
    if holds:
        assert strict.verify(token(aud=aud)).user == "maria"
    else:
        assert refusal(token(aud=aud), strict).code == INVALID


def named(kid: str | None, secret: str) -> Key:
    (key,) = load_keys(AuthConfig(jwt_secret=secret))
    return Key(key.algorithm, key.method, key.material, kid)


def test_the_key_with_the_token_s_kid_is_used_and_keys_without_kid_are_tried() -> None:
    other = "another secret of forty bytes for a test"
    both = Verifier(settings(), [named("old", SECRET), named("new", other)], lambda: NOW)
    payload = json.dumps(GOOD).encode()
    assert both.verify(sign({"alg": "HS256", "kid": "old"}, payload)).user == "maria"
    assert both.verify(sign({"alg": "HS256", "kid": "new"}, payload, other.encode())).user == "maria"
    assert both.verify(sign({"alg": "HS256"}, payload, other.encode())).user == "maria"
    assert refusal(sign({"alg": "HS256", "kid": "new"}, payload), both).code == INVALID
    assert refusal(sign({"alg": "HS256", "kid": "nowhere"}, payload), both).code == INVALID
    nameless = Verifier(settings(), [named(None, SECRET), named(None, other)], lambda: NOW)
    assert nameless.verify(sign({"alg": "HS256", "kid": "nowhere"}, payload, other.encode())).user == "maria"


def test_a_valid_token_of_a_denied_user_is_refused() -> None:
    """C-25: an invalid token is refused as invalid before the deny list is read."""
    config = settings()
    listed = DenyList(jti=frozenset({"stolen"}), user=frozenset({"eva"}))
    strict = Verifier(config, load_keys(config), lambda: NOW, listed)
    assert strict.verify(token(jti="mine")).user == "maria"
    for text in (token(jti="stolen"), token(user="eva"), token(user="eva", jti="mine")):
        assert refusal(text, strict).code == AuthCode.TOKEN_DENIED
    assert refusal(token(user="eva", exp=int(NOW)), strict).code == EXPIRED
    assert refusal(token(user="eva")[:-1], strict).code == INVALID


def test_a_token_is_revoked_when_its_key_is_removed_or_it_is_denied() -> None:
    """C-27"""
    other = "another secret of forty bytes for a test"
    checked = Verifier(settings(), [named("old", SECRET), named("new", other)], lambda: NOW)
    old = checked.verify(token(jti="j"))
    new = checked.verify(sign({"alg": "HS256", "kid": "new"}, json.dumps(GOOD).encode(), other.encode()))
    for identity in (old, new):
        checked.check_again(identity)
    checked.use([named("renamed", other)], DenyList())
    checked.check_again(new)
    with pytest.raises(AuthError) as gone:
        checked.check_again(old)
    assert gone.value.code == INVALID
    checked.use([named("old", SECRET), named("new", other)], DenyList(jti=frozenset({"j"})))
    checked.check_again(new)
    with pytest.raises(AuthError) as denied:
        checked.check_again(old)
    assert denied.value.code == AuthCode.TOKEN_DENIED
    checked.use([named("old", SECRET)], DenyList())
    checked.check_again(old)


def test_a_public_key_is_never_used_as_an_hmac_secret(tmp_path: Path) -> None:
    """The attacker knows the public key, signs with its PEM text as an HMAC secret, and names HS256."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    checked = verifier(config=AuthConfig(jwt_public_key_file=(tmp_path / "key.pem",)))
    genuine = jwt.encode(dict(GOOD), private, "RS256")
    assert checked.verify(genuine).user == "maria"
    for forged_with in (pem, pem.strip(), pem.replace(b"\n", b"\r\n")):
        for alg in ("HS256", "RS256"):
            forged = sign({"alg": alg}, json.dumps(GOOD).encode(), forged_with)
            assert refusal(forged, checked).code == INVALID
    assert refusal(genuine).code == INVALID


@given(position=st.integers(min_value=0), char=st.characters(codec="utf-8"), cut=st.booleans())
def test_a_changed_token_is_never_valid(position: int, char: str, cut: bool) -> None:
    text = token()
    at = position % len(text)
    changed = text[:at] + ("" if cut else char) + text[at + 1 :]
    if changed != text:
        assert refusal(changed).code == INVALID


@given(inserted=st.text(min_size=1, max_size=3), position=st.integers(min_value=0))
def test_a_token_with_inserted_characters_is_never_valid(inserted: str, position: int) -> None:
    text = token()
    at = position % (len(text) + 1)
    assert refusal(text[:at] + inserted + text[at:]).code == INVALID


def test_every_other_last_letter_of_the_signature_is_refused() -> None:
    """Only four bits of the last letter are decoded: 3 of 63 other letters stand for the same bytes."""
    text = token()
    for letter in base64url(bytes(range(256))) + "-_":
        if letter != text[-1]:
            assert refusal(text[:-1] + letter).code == INVALID


@given(st.text() | st.binary().map(base64url) | st.lists(st.binary().map(base64url), max_size=4).map(".".join))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    assert refusal(text).code == INVALID


START = time.time()  # jwt.decode reads the clock itself

# A closed set of names and a few values of every type, so that claims are often almost valid.
odd_values = st.one_of(
    st.sampled_from([-100, -3, -2.5, 60, 60.5, 100]).map(lambda offset: int(START) + offset),
    st.sampled_from(["chat", "maria", "", "x", ["chat"], ["x", "chat"], ["x"], [7], str(int(START) + 60)]),
    st.none() | st.booleans() | st.integers() | st.floats(),
)
odd_claims = st.dictionaries(
    st.sampled_from(["user", "name", "rol", "exp", "nbf", "iat", "iss", "aud", "jti", "x"]), odd_values, max_size=2
)
odd_headers = st.dictionaries(st.sampled_from(["kid", "typ", "crit", "b64", "x"]), odd_values, max_size=1)


@given(changes=odd_claims, header=odd_headers)
def test_a_token_that_chatd_accepts_is_accepted_by_pyjwt(changes: dict[str, object], header: dict[str, object]) -> None:
    config = settings(jwt_audience=("chat",), jwt_issuer="chat")
    text = token({**GOOD, "exp": int(START) + 60, "aud": "chat", "iss": "chat", **changes}, {"alg": "HS256", **header})
    try:
        identity = Verifier(config, load_keys(config), time.time).verify(text)
    except AuthError:
        return
    # PyJWT also refuses `iat` in the future and claims of wrong types, which chatd accepts.
    claims = jwt.decode(
        text,
        SECRET,
        ["HS256"],
        audience="chat",
        issuer="chat",
        options={"require": ["exp"], "verify_sub": False, "verify_iat": False, "verify_jti": False},
    )
    said = (claims["user"], claims["name"], claims["rol"], int(claims["exp"]))
    assert (identity.user, identity.name, identity.rol, identity.expires_at) == said


def test_each_signature_check_is_charged_before_it_is_made() -> None:
    """L-16: also those of tokens that do not hold"""
    paid: list[int] = []
    verifier().verify(token(), paid.append)
    assert paid == [CHECK_PRICES["HS"]]
    with pytest.raises(AuthError):
        verifier().verify(token()[:-4] + "AAAA", paid.append)
    assert paid == [CHECK_PRICES["HS"]] * 2
    with pytest.raises(AuthError):
        verifier().verify("no token", paid.append)
    assert len(paid) == 2


@pytest.mark.parametrize("algorithm", [*SECRET_ALGORITHMS, *PUBLIC_KEY_ALGORITHMS])
def test_each_algorithm_has_its_cost(algorithm: str) -> None:
    """L-16"""
    assert Key(algorithm, method=None, material=None).check_price >= 1  # type: ignore[arg-type]
