from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.store.postgres.texts import decode, encode

TEXTS = st.text(st.sampled_from("\0\1\2a\U0010ffff")) | st.text()


@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    """P-06"""
    assert "\0" not in encode(text)
    assert decode(encode(text)) == text


@given(TEXTS, TEXTS)
def test_encoded_texts_keep_order_and_prefixes(one: str, other: str) -> None:
    """P-06: names are sorted, and searched by prefix."""
    assert (encode(one) < encode(other)) == (one < other)
    assert encode(one + other).startswith(encode(one))


@pytest.mark.parametrize(("text", "stored"), [("hola", "hola"), ("a\0b", "a\1\1b"), ("\1", "\1\2")])
def test_the_encoding_is_that_of_protocol_md(text: str, stored: str) -> None:
    """P-06"""
    assert encode(text) == stored
