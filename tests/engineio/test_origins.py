"""Valid values of the setting origin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.base.errors import ConfigError
from chatd.engineio.origins import check_origin


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example",
        "http://localhost:3000",
        "https://*.example.com",
        "https://*.example.com:8443",
        "http://[::1]:3000",
        "https://xn--mnchen-3ya.example",
        "https://shop.example:80",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
        "file://",
        "*",
        "null",
    ],
)
def test_an_origin_as_a_browser_sends_it_is_accepted(text: str) -> None:
    """E-14"""
    check_origin(text)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("https://shop.example/", "write https://shop.example"),
        ("https://shop.example/chat?a=b", "write https://shop.example"),
        ("HTTPS://Shop.Example", "write https://shop.example"),
        ("shop.example", "write https://shop.example"),
        ("shop.example:8443/", "write https://shop.example:8443"),
        ("https://shop.example:443", "write https://shop.example"),
        ("http://shop.example:80", "write http://shop.example"),
        ("https://*", "a star stands for subdomains, as in https://*.example.com, or alone"),
        ("https://shop.*", "a star stands for subdomains"),
        ("https://a*.example.com", "a star stands for subdomains"),
        ("https://*.*.example.com", "a star stands for subdomains"),
        ("https://user@shop.example", "write scheme, host and port"),
        ("https://shop.example:port", "write scheme, host and port"),
        ("https://", "write scheme, host and port"),
        ("://shop.example", "write scheme, host and port"),
        ("https://münchen.example", "write scheme, host and port"),
        ("https://a,b", "write scheme, host and port"),
        (" ", "write https://host"),
    ],
)
def test_an_origin_that_never_matches_is_refused_with_advice(text: str, advice: str) -> None:
    """E-14"""
    with pytest.raises(ConfigError) as caught:
        check_origin(text)
    assert str(caught.value).startswith(f"origin: {text!r} matches no page: ")
    assert advice in str(caught.value)


@given(st.text())
def test_every_text_is_accepted_or_refused(text: str) -> None:
    """E-14"""
    try:
        check_origin(text)
    except ConfigError as error:
        assert "write" in str(error) or "star" in str(error)  # noqa: PT017 - either outcome is right
