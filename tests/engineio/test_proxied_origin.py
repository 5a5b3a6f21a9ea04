"""Which pages are the server's own, where the server is behind proxies."""

from __future__ import annotations

import msgspec
import pytest

from chatd.engineio.origin import OriginPolicy
from chatd.engineio.proxies import Proxies
from chatd.engineio.request import by_name, parse_request
from tests.engineio.test_origin import request

PROXIED = OriginPolicy((), credentials=True, proxies=Proxies(["10.0.0.1", "192.0.2.0/24"]))


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
    asked = msgspec.structs.replace(request("https://shop.example", host="127.0.0.1:8400", **said), address=peer)
    assert PROXIED.allows(asked) is allowed


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("proto", "meant"),
    [
        ("https", "https"),
        ("http", "http"),
        ("wss", "https"),
        ("ws", "http"),
        ("WSS", "https"),
        ("https, http", "http"),  # nobody says that the hop in front of the last was a proxy
        ("http, https", "https"),
        ("https,", "https"),
    ],
)
def test_a_page_is_our_own_under_the_scheme_that_the_proxy_names(proto: str, meant: str, scheme: str) -> None:
    """E-48"""
    asked = request(f"{scheme}://shop.example", host="shop.example", **{"x-forwarded-proto": proto})
    assert PROXIED.allows(msgspec.structs.replace(asked, address="10.0.0.1")) is (scheme == meant)


@pytest.mark.parametrize("proto", ["", "ftp", "on", "https http", "https; http"])
def test_where_the_proxy_names_no_scheme_of_the_web_any_is_our_own(proto: str) -> None:
    """E-48"""
    for scheme in ("http", "https"):
        asked = request(f"{scheme}://shop.example", host="shop.example", **{"x-forwarded-proto": proto})
        assert PROXIED.allows(msgspec.structs.replace(asked, address="10.0.0.1"))


@pytest.mark.parametrize(
    ("forwarded_for", "proto", "allowed"),
    [
        ("198.51.100.7, 192.0.2.1", "https, http", True),
        ("198.51.100.7, 192.0.2.1", "https,http", True),
        ("198.51.100.7, 192.0.2.1", "wss, ws", True),
        ("198.51.100.7, 192.0.2.1", "https", True),  # the one behind passes it on, or the one in front alone says it
        ("198.51.100.7, 192.0.2.1", "http, https", False),
        ("198.51.100.7, 192.0.2.1", "https, http, http", False),  # the client made the first up
        ("198.51.100.7, 192.0.2.1, 192.0.2.2", "https, http, http", True),
        ("198.51.100.7", "https, http", False),
        ("198.51.100.7, 203.0.113.9", "https, http", False),  # a hop that nobody trusts
        ("192.0.2.3, 192.0.2.1", "https, http", True),  # all are trusted
    ],
)
def test_of_a_list_the_word_counts_that_the_first_trusted_proxy_wrote(
    forwarded_for: str, proto: str, allowed: bool
) -> None:
    """E-48"""
    said = {"x-forwarded-for": forwarded_for, "x-forwarded-proto": proto}
    asked = request("https://shop.example", host="shop.example", **said)
    assert PROXIED.allows(msgspec.structs.replace(asked, address="10.0.0.1")) is allowed


@pytest.mark.parametrize(
    ("forwarded_for", "host", "allowed"),
    [
        ("198.51.100.7, 192.0.2.1", "shop.example, inner.example", True),
        ("198.51.100.7, 192.0.2.1", "Shop.Example:443, inner.example:8080", True),
        ("198.51.100.7, 192.0.2.1", "shop.example", True),
        ("198.51.100.7, 192.0.2.1", "inner.example, shop.example", False),
        ("198.51.100.7", "shop.example, inner.example", False),
        ("198.51.100.7", "evil.example, shop.example:443", True),
        ("198.51.100.7", "shop.example:8443", False),
    ],
)
def test_so_does_the_host(forwarded_for: str, host: str, allowed: bool) -> None:
    """E-48"""
    said = {"x-forwarded-for": forwarded_for, "x-forwarded-host": host}
    asked = request("https://shop.example", host="127.0.0.1:8400", **said)
    assert PROXIED.allows(msgspec.structs.replace(asked, address="10.0.0.1")) is allowed


def test_a_header_on_two_lines_is_one_list() -> None:
    """E-48"""
    lines = [
        (b"host", b"127.0.0.1:8400"), (b"origin", b"https://shop.example"),
        (b"x-forwarded-for", b"198.51.100.7"), (b"x-forwarded-for", b"192.0.2.1"),
        (b"x-forwarded-proto", b"https"), (b"x-forwarded-proto", b"http"),
        (b"x-forwarded-host", b"shop.example"), (b"x-forwarded-host", b"inner"),
    ]  # fmt: skip
    assert PROXIED.allows(parse_request(b"GET", b"/socket.io/", by_name(lines), "10.0.0.1"))
    assert not PROXIED.allows(parse_request(b"GET", b"/socket.io/", by_name(lines), "203.0.113.9"))


def test_the_word_of_a_proxy_counts_more_than_tls_between_it_and_us() -> None:
    """E-48"""
    asked = msgspec.structs.replace(
        request("http://shop.example", host="shop.example", **{"x-forwarded-proto": "http"}), secure=True
    )
    assert PROXIED.allows(msgspec.structs.replace(asked, address="10.0.0.1"))
    assert not PROXIED.allows(msgspec.structs.replace(asked, address="203.0.113.9"))


def test_forwarded_is_not_read() -> None:
    """E-48: a proxy that writes X-Forwarded-* passes on what a client has made up there"""
    forwarded = {"forwarded": "for=198.51.100.7;host=shop.example;proto=https"}
    asked = msgspec.structs.replace(request("https://shop.example", host="inner", **forwarded), address="10.0.0.1")
    assert not PROXIED.allows(asked)
    assert PROXIED.proxies.client_address(asked) == "10.0.0.1"
