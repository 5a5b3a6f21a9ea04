from __future__ import annotations

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.config import AuthConfig
from chatd.auth.errors import AuthError
from chatd.auth.identity import Identity
from chatd.auth.mint import mint
from tests.auth.tokens import NOW, SECRET, verifier

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=128)


@given(user=texts, name=texts, rol=texts, ttl_s=st.integers(min_value=1, max_value=10**9))
def test_a_minted_token_verifies_with_its_claims(user: str, name: str, rol: str, ttl_s: int) -> None:
    made = mint(SECRET.encode(), user, name, rol, ttl_s, NOW)
    assert verifier().verify(made) == Identity(user, name, rol, int(NOW + ttl_s), None)


def test_a_minted_token_has_the_configured_issuer_audience_and_algorithm() -> None:
    config = AuthConfig(jwt_secret=SECRET * 2, jwt_algorithm="HS512", jwt_issuer="us", jwt_audience=("chat", "x"))
    made = mint(SECRET.encode() * 2, "u", "n", "r", 9, NOW, algorithm="HS512", issuer="us", audience="chat")
    assert verifier(config=config).verify(made).user == "u"


@pytest.mark.parametrize(
    ("user", "name", "rol"), [("", "n", "r"), ("u", "", "r"), ("u", "n", ""), ("u\n", "n", "r"), ("\udcff", "n", "r")]
)
def test_claims_that_would_not_verify_are_not_minted(user: str, name: str, rol: str) -> None:
    with pytest.raises(AuthError):
        mint(SECRET.encode(), user, name, rol, 60, NOW)


def test_the_header_has_the_kid_of_the_secret() -> None:
    """C-26"""
    made = mint(SECRET.encode(), "u", "n", "r", 9, NOW, kid="2026")
    assert jwt.get_unverified_header(made)["kid"] == "2026"
    assert verifier().verify(made).user == "u"
