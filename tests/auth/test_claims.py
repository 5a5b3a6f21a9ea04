from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.claims import decode_claims, decode_header
from chatd.auth.errors import AuthError


@given(st.binary() | st.recursive(st.just(b"1"), lambda inner: inner.map(lambda raw: b'{"user":[' + raw + b"]}")))
def test_any_bytes_decode_or_raise_an_auth_error(raw: bytes) -> None:
    with contextlib.suppress(AuthError):
        decode_header(raw)
    with contextlib.suppress(AuthError):
        decode_claims(raw)


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b'{"exp":' + b"9" * 5000 + b"}"])
def test_depth_and_digits_are_no_way_out(raw: bytes) -> None:
    with pytest.raises(AuthError):
        decode_claims(raw)
    with pytest.raises(AuthError):
        decode_header(raw)
