"""Valid and forged tokens of a run."""

from __future__ import annotations

import jwt
import pytest

from bench import tokens
from bench.fairness.keys import forged, signer


@pytest.mark.parametrize("algorithm", ["HS256", "ES384", "RS256"])
def test_the_key_verifies_its_own_tokens_and_no_forged_one(algorithm: str) -> None:
    signs = signer(algorithm)
    key = signs.public_pem or tokens.SECRET
    good = signs.mint("ana", "user")
    assert jwt.decode(good, key, algorithms=[algorithm])["user"] == "ana"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(forged(good), key, algorithms=[algorithm])


def test_a_forged_token_differs_in_its_signature_alone() -> None:
    good = signer("ES384").mint("ana", "user")
    bad = forged(good)
    assert bad.rpartition(".")[0] == good.rpartition(".")[0]
    assert len(bad) == len(good)
    assert bad != good


def test_every_junk_token_is_different() -> None:
    junk = signer("HS256").junk()
    assert len({token.rpartition(".")[2] for token in junk}) == len(junk)
