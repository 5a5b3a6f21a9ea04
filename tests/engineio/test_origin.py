"""Which pages may connect, and what their browsers are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.engineio.origin import OriginPolicy, unknown_origin_message
from chatd.engineio.request import Request, parse_request

LISTED = OriginPolicy(("https://chat.example", "https://*.example.com"), credentials=True)
ANY = OriginPolicy(("*",), credentials=False)
NONE = OriginPolicy((), credentials=True)


def request(origin: str | None, method: str = "GET", host: str = "chatd.example", **headers: str) -> Request:
    lines = [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
    if origin is not None:
        lines.append((b"origin", origin.encode("latin-1")))
    return parse_request(method.encode(), b"/socket.io/", lines, "")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://chat.example", True),
        ("https://a.example.com", True),
        ("https://a.b.example.com", True),
        ("https://chatd.example", True),
        ("http://chatd.example", True),
        (None, True),
        ("http://chat.example", False),
        ("https://chat.example:8443", False),
        ("https://chat.example.evil", False),
        ("https://example.com", False),
        ("https://.example.com", False),
        ("https://evilexample.com", False),
        ("https://evil/.example.com", False),
        ("https://evil:1@a.example.com", False),
        ("https://evil#.example.com", False),
        ("https://evil?.example.com", False),
        ("https://a.example.com.evil", False),
        ("null", False),
        ("", False),
        ("https://chat.example, https://evil", False),
        ("https://chat.exampl\xf1", False),
    ],
)
def test_only_listed_pages_and_the_host_s_own_may_connect(origin: str | None, allowed: bool) -> None:
    """E-14"""
    assert LISTED.allows(request(origin)) is allowed


def test_without_a_list_only_the_host_s_own_pages_may_connect() -> None:
    """E-14"""
    assert NONE.allows(request("http://chatd.example:8000", host="chatd.example:8000"))
    assert not NONE.allows(request("http://chatd.example:9000", host="chatd.example:8000"))
    assert not NONE.allows(request("http://evil.example"))


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
def test_a_star_lets_everybody_in(origin: str | None) -> None:
    """E-14"""
    assert ANY.allows(request(origin))


@given(st.text(st.characters(max_codepoint=255)))
def test_no_other_text_counts_as_a_listed_page(origin: str) -> None:
    """E-14"""
    assert not OriginPolicy(("https://chat.example",), credentials=True).allows(request(origin, host="chatd.example"))


def test_a_listed_page_is_named_in_the_answer() -> None:
    """E-14"""
    assert LISTED.headers(request("https://chat.example")) == [
        (b"Access-Control-Allow-Origin", b"https://chat.example"),
        (b"Vary", b"Origin"),
        (b"Access-Control-Allow-Credentials", b"true"),
    ]


@pytest.mark.parametrize("origin", ["http://evil.example", None])
def test_another_page_is_not(origin: str | None) -> None:
    """E-14"""
    assert dict(LISTED.headers(request(origin))) == {b"Vary": b"Origin", b"Access-Control-Allow-Credentials": b"true"}


def test_a_star_is_answered_by_a_star_unless_cookies_are_allowed() -> None:
    """E-14: browsers refuse `*` together with credentials"""
    assert ANY.headers(request("http://page")) == [(b"Access-Control-Allow-Origin", b"*")]
    with_cookies = dict(OriginPolicy(("*",), credentials=True).headers(request("http://page")))
    assert with_cookies[b"Access-Control-Allow-Origin"] == b"http://page"


def test_without_a_list_there_are_no_cors_headers() -> None:
    """E-14"""
    assert NONE.headers(request("http://page")) == []
    assert not NONE.is_preflight(request("http://page", "OPTIONS"))


def test_a_preflight_is_told_what_it_asked_for() -> None:
    """E-14"""
    asked = request("https://chat.example", "OPTIONS", **{"access-control-request-headers": "x-a,x-b"})
    assert LISTED.is_preflight(asked)
    headers = LISTED.preflight_headers(asked)
    assert (b"Access-Control-Allow-Headers", b"x-a,x-b") in headers
    assert (b"Vary", b"Access-Control-Request-Headers") in headers
    assert (b"Access-Control-Allow-Methods", b"GET,HEAD,PUT,PATCH,POST,DELETE") in headers
    plain = LISTED.preflight_headers(request("https://chat.example", "OPTIONS"))
    assert b"Access-Control-Allow-Headers" not in dict(plain)


def test_the_operator_is_told_what_to_add() -> None:
    assert unknown_origin_message(request("http://page"), ["http://a"]) == (
        "origin http://page may not connect (listed: http://a); "
        "add it to `origin` to allow it: --origin http://page"
    )
    assert len(unknown_origin_message(request("http://" + "x" * 10_000), ())) < 1_000
