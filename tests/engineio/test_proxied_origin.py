"""The own origin of a server behind proxies."""

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
def test_a_trusted_proxy_names_the_own_host(peer: str, said: dict[str, str], allowed: bool) -> None:
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
        ("https, http", "http"),  # the hop before the last is not known to be a proxy
        ("http, https", "https"),
        ("https,", "https"),
    ],
)
def test_the_own_origin_has_the_scheme_that_the_proxy_names(proto: str, meant: str, scheme: str) -> None:
    """E-48"""
    asked = request(f"{scheme}://shop.example", host="shop.example", **{"x-forwarded-proto": proto})
    assert PROXIED.allows(msgspec.structs.replace(asked, address="10.0.0.1")) is (scheme == meant)


@pytest.mark.parametrize("proto", ["", "ftp", "on", "https http", "https; http"])
def test_without_a_scheme_from_the_proxy_any_scheme_is_the_own_origin(proto: str) -> None:
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
        (
            "198.51.100.7, 192.0.2.1",
            "https",
            True,
        ),  # the second proxy passes the header on, or only the first writes it
        ("198.51.100.7, 192.0.2.1", "http, https", False),
        ("198.51.100.7, 192.0.2.1", "https, http, http", False),  # the client forged the first value
        ("198.51.100.7, 192.0.2.1, 192.0.2.2", "https, http, http", True),
        ("198.51.100.7", "https, http", False),
        ("198.51.100.7, 203.0.113.9", "https, http", False),  # a hop that is not trusted
        ("192.0.2.3, 192.0.2.1", "https, http", True),  # all are trusted
    ],
)
def test_the_value_of_the_first_trusted_proxy_in_a_list_counts(forwarded_for: str, proto: str, allowed: bool) -> None:
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
def test_the_host_of_the_first_trusted_proxy_in_a_list_counts(forwarded_for: str, host: str, allowed: bool) -> None:
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


def test_the_scheme_from_the_proxy_outranks_tls_between_proxy_and_server() -> None:
    """E-48"""
    asked = msgspec.structs.replace(
        request("http://shop.example", host="shop.example", **{"x-forwarded-proto": "http"}), secure=True
    )
    assert PROXIED.allows(msgspec.structs.replace(asked, address="10.0.0.1"))
    assert not PROXIED.allows(msgspec.structs.replace(asked, address="203.0.113.9"))


def test_the_header_forwarded_is_not_read() -> None:
    """E-48: a proxy that writes X-Forwarded-* passes a client's forged Forwarded header on"""
    forwarded = {"forwarded": "for=198.51.100.7;host=shop.example;proto=https"}
    asked = msgspec.structs.replace(request("https://shop.example", host="inner", **forwarded), address="10.0.0.1")
    assert not PROXIED.allows(asked)
    assert PROXIED.proxies.client_address(asked) == "10.0.0.1"
