"""TCP sockets as the daemon opens them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.conformance.wire import Client
from tests.listen.certificates import make_certificate, trusting
from tests.listen.served import PATH, Served, TlsClient, served


def sent_at_once(one: Served) -> bool:
    """Whether no connection makes a small write wait until the one before it is acknowledged."""
    sockets = [connection.get_extra_info("socket") for connection in one.engine.connections._open]
    return {each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets} == {1}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_write_does_not_wait_for_the_one_before_it(host: str) -> None:
    async with served(host=host) as one, Client(host, one.port(), PATH) as client:
        await client.websocket()
        assert sent_at_once(one)


async def test_nor_does_it_under_tls(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), trusting(cert)) as client:
        await client.websocket()
        assert sent_at_once(one)
