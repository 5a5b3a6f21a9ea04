"""Which pages may connect, and what their browsers are told."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.engineio.origin import OriginPolicy, unknown_origin_message
from chatd.engineio.proxies import Proxies
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


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("https://chat.example", "chat.example", True),
        ("https://chat.example", "chat.example:443", True),
        ("http://chat.example", "chat.example:80", True),
        ("https://chat.example:8443", "chat.example:8443", True),
        ("https://chat.example", "Chat.Example", True),
        ("http://[::1]:8400", "[::1]:8400", True),
        ("https://chat.example", "chat.example:80", False),
        ("http://chat.example", "chat.example:443", False),
        ("https://chat.example", "chat.example:8443", False),
        ("https://chat.example:8443", "chat.example", False),
        ("ftp://chat.example", "chat.example", False),
        ("capacitor://chat.example", "chat.example", False),
        ("chat.example", "chat.example", False),
        ("https://", "", False),
        ("null", "null", False),
    ],
)
def test_the_host_that_was_asked_for_is_our_own(origin: str, host: str, ours: bool) -> None:
    """E-14: a browser leaves the usual port out, a proxy may write it"""
    assert NONE.allows(request(origin, host=host)) is ours


@pytest.mark.parametrize(("origin", "ours"), [("https://chatd.example", True), ("http://chatd.example", False)])
def test_a_page_from_plain_http_is_not_that_of_a_server_under_tls(origin: str, ours: bool) -> None:
    """E-14"""
    assert NONE.allows(dataclasses.replace(request(origin), secure=True)) is ours


PROXIED = OriginPolicy((), credentials=True, proxies=Proxies(["10.0.0.1"]))


@pytest.mark.parametrize(
    ("peer", "said", "allowed"),
    [
        ("10.0.0.1", {"x-forwarded-host": "shop.example"}, True),
        ("10.0.0.1", {"x-forwarded-host": "shop.example:443", "x-forwarded-proto": "https"}, True),
        ("10.0.0.1", {"x-forwarded-host": "shop.example", "x-forwarded-proto": "http"}, False),
        ("10.0.0.1", {"x-forwarded-host": "other.example"}, False),
        ("10.0.0.1", {}, False),
        ("10.0.0.2", {"x-forwarded-host": "shop.example"}, False),
    ],
)
def test_a_trusted_proxy_says_how_we_are_called(peer: str, said: dict[str, str], allowed: bool) -> None:
    """E-14, L-04"""
    asked = dataclasses.replace(request("https://shop.example", host="127.0.0.1:8400", **said), address=peer)
    assert PROXIED.allows(asked) is allowed


@pytest.mark.parametrize(
    ("said", "allowed"),
    [({}, False), ({"sec-fetch-site": "same-origin"}, True), ({"sec-fetch-site": "cross-site"}, False)],
)
def test_an_origin_may_be_required_unless_the_browser_says_it_is_the_own_page(
    said: dict[str, str], allowed: bool
) -> None:
    """E-14"""
    policy = OriginPolicy((), credentials=True, required=True)
    assert policy.allows(request(None, **said)) is allowed
    assert policy.allows(request("https://chatd.example")) is True
    assert "require_origin" in unknown_origin_message(request(None), ())


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
        "origin http://page may not connect (listed: http://a); add it to `origin` to allow it: --origin http://page"
    )
    assert len(unknown_origin_message(request("http://" + "x" * 10_000), ())) < 1_000
