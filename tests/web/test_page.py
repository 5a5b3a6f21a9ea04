from __future__ import annotations

import gzip

import pytest

from chatd.web.page import compressed, is_known, takes_gzip


@pytest.mark.parametrize(
    "header", ['"abc"', 'W/"abc"', '"x", "abc"', '"x" , W/"abc"', "*", '"a,b", "abc"', '"abc","x"', ' "abc"']
)
def test_if_none_match_with_this_etag_matches(header: str) -> None:
    assert is_known(header, '"abc"')


@pytest.mark.parametrize("header", [None, "", "abc", '"abcd"', '"ab"', 'W/"ABC"', '"x, abc"', '"', "W/"])
def test_other_if_none_match_headers_do_not_match(header: str | None) -> None:
    assert not is_known(header, '"abc"')


@pytest.mark.parametrize("header", ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.5", "x-gzip", "gzip ; q=0.001"])
def test_accept_encoding_headers_that_allow_gzip(header: str) -> None:
    """E-53"""
    assert takes_gzip(header)


@pytest.mark.parametrize("header", [None, "", "br", "gzip;q=0", "gzip;q=0.000, br", "identity", "notgzip"])
def test_accept_encoding_headers_that_do_not_allow_gzip(header: str | None) -> None:
    """E-53"""
    assert not takes_gzip(header)


def test_a_file_that_gzip_does_not_shorten_is_sent_uncompressed() -> None:
    assert compressed(b"abc") is None
    packed = compressed(b"abc" * 100)
    assert packed is not None
    assert gzip.decompress(packed) == b"abc" * 100
