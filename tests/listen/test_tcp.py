"""The daemon's TCP sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from chatd.listen.config import ListenConfig
from chatd.listen.errors import ListenError
from chatd.listen.listener import READ_BYTES
from chatd.listen.listening import Listening
from chatd.listen.tcp import open_tcp
from tests.conformance.wire import TIMEOUT_S, Client
from tests.listen.certificates import make_certificate, trusting
from tests.listen.served import PATH, Served, TlsClient, served


def sent_at_once(one: Served) -> bool:
    """Whether every connection has TCP_NODELAY set."""
    sockets = [connection.get_extra_info("socket") for connection in one.engine.connections._open]
    return {each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets} == {1}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_write_does_not_wait_for_the_one_before_it(host: str) -> None:
    async with served(host=(host,)) as one, Client(host, one.port(), PATH) as client:
        await client.websocket()
        assert sent_at_once(one)


async def test_a_tls_write_does_not_wait_for_the_one_before_it(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), trusting(cert)) as client:
        await client.websocket()
        assert sent_at_once(one)


@pytest.mark.parametrize(
    ("hosts", "reached"),
    [
        (("::",), ["127.0.0.1", "::1"]),
        (("[::]", "0.0.0.0"), ["127.0.0.1", "::1"]),
        (("127.0.0.1", "::1"), ["127.0.0.1", "::1"]),
        (("127.0.0.1", "127.0.0.2", "127.0.0.1"), ["127.0.0.1", "127.0.0.2"]),
        (("[::1]",), ["::1"]),
        (("localhost",), ["127.0.0.1"]),
    ],
    ids=str,
)
async def test_a_daemon_is_reached_at_every_address_on_one_port(hosts: tuple[str, ...], reached: list[str]) -> None:
    async with served(host=hosts) as one:
        assert {where["port"] for where in one.listening.addresses} == {one.port()}
        for host in reached:
            async with Client(host, one.port(), PATH) as client:
                await client.websocket()


def test_an_address_in_use_is_reported_with_a_hint_and_nothing_stays_open() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        with pytest.raises(ListenError) as caught:
            open_tcp(["127.0.0.1", "[::1]"], port, "--port")
        assert str(caught.value) == (
            f"cannot listen on [::1]:{port}: Address already in use: stop the other program, or choose another port "
            "with --port"
        )
    socket.create_server(("127.0.0.1", port)).close()


def test_a_free_port_is_free_at_every_address() -> None:
    """A port that is free at the first address may be in use at the second."""
    with contextlib.ExitStack() as used:
        for _ in range(400):
            used.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
        for _ in range(300):
            for one in open_tcp(["127.0.0.1", "::1"], 0, "--port"):
                one.close()


class Notes(asyncio.Protocol):
    """Records the number of bytes of each read."""

    def __init__(self, brought: list[int], ended: asyncio.Event) -> None:
        self._brought = brought
        self._ended = ended

    def data_received(self, data: bytes) -> None:
        self._brought.append(len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()


async def test_a_read_takes_a_limited_number_of_bytes() -> None:
    """asyncio reads up to 256 KB. chatd lowers that by an internal attribute, which a new Python release may ignore."""
    brought: list[int] = []
    ended = asyncio.Event()
    listening = Listening(ListenConfig(port=0), lambda: Notes(brought, ended), handshake_timeout_s=1.0)
    listening.start(PATH)
    async with Client("127.0.0.1", int(str(listening.addresses[0]["port"])), PATH) as client:
        connection = await client.connect()
        connection.write(bytes(2_000_000))
        connection.end_writing()
        async with asyncio.timeout(TIMEOUT_S):
            await ended.wait()
    listening.close()
    assert sum(brought) == 2_000_000
    assert max(brought) <= READ_BYTES
