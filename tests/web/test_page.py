from __future__ import annotations

import gzip

import pytest

from chatd.web.page import compressed, is_known, takes_gzip


@pytest.mark.parametrize(
    "header", ['"abc"', 'W/"abc"', '"x", "abc"', '"x" , W/"abc"', "*", '"a,b", "abc"', '"abc","x"', ' "abc"']
)
def test_a_browser_that_has_this_version_says_so(header: str) -> None:
    assert is_known(header, '"abc"')


@pytest.mark.parametrize("header", [None, "", "abc", '"abcd"', '"ab"', 'W/"ABC"', '"x, abc"', '"', "W/"])
def test_any_other_header_is_about_another_version(header: str | None) -> None:
    assert not is_known(header, '"abc"')


@pytest.mark.parametrize("header", ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.5", "x-gzip", "gzip ; q=0.001"])
def test_a_client_that_takes_gzip_says_so(header: str) -> None:
    """E-53"""
    assert takes_gzip(header)


@pytest.mark.parametrize("header", [None, "", "br", "gzip;q=0", "gzip;q=0.000, br", "identity", "notgzip"])
def test_to_any_other_a_file_goes_as_it_is(header: str | None) -> None:
    """E-53"""
    assert not takes_gzip(header)


def test_what_does_not_get_shorter_is_not_compressed() -> None:
    assert compressed(b"abc") is None
    packed = compressed(b"abc" * 100)
    assert packed is not None
    assert gzip.decompress(packed) == b"abc" * 100
