"""The client address behind reverse proxies, and the network for which an address counts."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.base.errors import ConfigError
from chatd.engineio.proxies import MAX_HOPS, Proxies, counted_address, parse_network
from chatd.engineio.request import Request, by_name, parse_request

TRUSTED = Proxies(["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.1"])


def request(peer: str, *forwarded: str, **headers: str) -> Request:
    lines = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    lines += [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return parse_request(b"GET", b"/socket.io/", by_name(lines), peer)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.1.2.3", ["198.51.100.7"], "198.51.100.7"),
        ("10.1.2.3", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # values further left may be forged
        ("10.1.2.3", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        ("10.1.2.3", ["198.51.100.7, 10.9.9.9,192.0.2.1"], "198.51.100.7"),
        ("10.1.2.3", ["10.8.8.8, 10.9.9.9"], "10.8.8.8"),
        ("10.1.2.3", ["198.51.100.7:4711"], "198.51.100.7"),
        ("10.1.2.3", ["[2001:DB8::7]:4711"], "2001:db8::7"),
        ("10.1.2.3", ["[2001:db8::7]"], "2001:db8::7"),
        ("10.1.2.3", ["2001:db8:0:0::7"], "2001:db8::7"),
        ("10.1.2.3", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("::ffff:10.1.2.3", ["198.51.100.7"], "198.51.100.7"),
        ("2001:db8:1::5", ["198.51.100.7"], "198.51.100.7"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", [""], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.7, unknown"], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.7, _hidden, 10.9.9.9"], "10.9.9.9"),
        ("198.51.100.1", ["203.0.113.9"], "198.51.100.1"),
        ("", ["203.0.113.9"], ""),
    ],
)
def test_the_client_is_the_last_untrusted_hop(peer: str, forwarded: list[str], client: str) -> None:
    """L-04"""
    assert TRUSTED.client_address(request(peer, *forwarded)) == client


def test_the_unix_socket_is_trusted_if_it_is_listed() -> None:
    """L-04"""
    assert Proxies(["unix"]).client_address(request("", "198.51.100.7")) == "198.51.100.7"
    assert Proxies(["unix"]).client_address(request("10.1.2.3", "198.51.100.7")) == "10.1.2.3"


def test_without_a_list_no_proxy_is_trusted() -> None:
    """L-04"""
    nobody = Proxies([])
    assert not nobody
    assert not nobody.trusts("")
    assert nobody.client_address(request("127.0.0.1", "198.51.100.7")) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "said", "word"),
    [
        ("10.1.2.3", [], "http, HTTPS", "https"),
        ("10.1.2.3", [], None, None),
        ("10.1.2.3", [], "", None),
        ("10.1.2.3", [], " , ", None),
        ("192.0.2.2", [], "https", None),
        ("10.1.2.3", ["198.51.100.7"], "a, b", "b"),
        ("10.1.2.3", ["198.51.100.7, 10.9.9.9"], "a, b", "a"),
        ("10.1.2.3", ["198.51.100.7", "10.9.9.9"], "a, b", "a"),
        ("10.1.2.3", ["198.51.100.7, 10.9.9.9"], "a, b, c", "b"),
        ("10.1.2.3", ["198.51.100.7, 10.9.9.9, 192.0.2.1"], "a, b", "a"),
        ("10.1.2.3", ["10.8.8.8, 10.9.9.9"], "a, b, c, d", "b"),
        ("10.1.2.3", ["unknown, 10.9.9.9"], "a, b, c", "b"),
        ("10.1.2.3", ["unknown"], "a, b", "b"),
    ],
)
def test_the_value_of_the_proxy_that_the_client_connected_to_counts(
    peer: str, forwarded: list[str], said: str | None, word: str | None
) -> None:
    """E-48"""
    headers = {} if said is None else {"x_forwarded_proto": said}
    assert TRUSTED.forwarded(request(peer, *forwarded, **headers), b"x-forwarded-proto") == word


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=3), st.text(st.characters(max_codepoint=255)))
def test_any_header_gives_one_of_its_values_or_none(forwarded: list[str], said: str) -> None:
    """E-48"""
    word = TRUSTED.forwarded(request("10.1.2.3", *forwarded, x_forwarded_host=said), b"x-forwarded-host")
    assert word is None or (word in said.lower() and "," not in word)


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=3))
def test_any_header_gives_an_address(forwarded: list[str]) -> None:
    """L-04"""
    client = TRUSTED.client_address(request("10.1.2.3", *forwarded))
    assert str(ipaddress.ip_address(client)) == client


def test_the_length_of_a_chain_of_proxies_is_bounded() -> None:
    """L-04"""
    chain = ["198.51.100.7", *(f"10.0.{number // 256}.{number % 256}" for number in range(1, 5_000))]
    assert TRUSTED.client_address(request("10.1.2.3", ", ".join(chain))) == chain[-MAX_HOPS]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", ""),
        ("no: address", "no: address"),
    ],
)
def test_an_ipv6_address_counts_by_its_network(address: str, counted: str) -> None:
    """L-02"""
    assert counted_address(address) == counted


@pytest.mark.parametrize("text", ["10.0.0.0/8", "10.0.0.7", "::1", "2001:db8::/32"])
def test_an_address_and_a_network_can_be_listed(text: str) -> None:
    """L-04"""
    assert parse_network(text).with_prefixlen.startswith(text)


@pytest.mark.parametrize(
    ("text", "advice"),
    [("10.0.0.7/8", "write 10.0.0.0/8"), ("nginx", "write 10.0.0.7"), ("10.0.0.0/33", "write"), ("", "write")],
)
def test_an_invalid_proxy_is_refused_with_advice(text: str, advice: str) -> None:
    """L-04"""
    with pytest.raises(ConfigError, match="trusted_proxy: ") as caught:
        Proxies([text])
    assert advice in str(caught.value)
