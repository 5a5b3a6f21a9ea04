"""Rule W-06: where a hook may go."""

from __future__ import annotations

import pytest

from chatd.webhooks.address import RefusedAddressError, parse_target, resolve


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "localhost", "[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]",
        "224.0.0.251", "[ff02::fb]", "[64:ff9b::10.0.0.1]", "[2002:a00:1::1]",
    ],
)  # fmt: skip
async def test_an_address_that_is_not_public_is_refused_unless_a_setting_allows_it(host: str) -> None:
    target = parse_target(f"http://{host}:9/")
    with pytest.raises(RefusedAddressError, match="an address of this machine or a private network"):
        await resolve(target, private=False)
    assert await resolve(target, private=True)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("[2001:4860::8888]", "2001:4860::8888"),
        ("[64:ff9b::8.8.8.8]", "64:ff9b::808:808"),
    ],
)
async def test_a_public_address_is_used(host: str, address: str) -> None:
    assert await resolve(parse_target(f"https://{host}/"), private=False) == address
