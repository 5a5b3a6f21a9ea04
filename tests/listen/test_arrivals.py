"""The queue of accepted connections: addresses take turns, so that a flood from one does not delay another."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import socket
import struct
from collections.abc import Iterator
from typing import Final

from chatd.listen.arrivals import ANY, Arrivals
from chatd.listen.config import ListenConfig
from chatd.listen.limits import ListenLimit
from chatd.listen.listening import Listening
from tests.conformance.wire import TIMEOUT_S, request_bytes

FLOOD: Final = "127.0.0.2"
NEWCOMER: Final = "127.0.0.1"
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST instead of FIN."""


def by_host(host: str) -> str:
    return host


def connected(port: int, host: str) -> socket.socket:
    """A connection from `host`, which the kernel accepts."""
    client = socket.create_connection(("127.0.0.1", port), TIMEOUT_S, (host, 0))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    return client


class Opened(asyncio.Protocol):
    """Records the address of each connection when it is opened."""

    def __init__(self, hosts: list[str]) -> None:
        self._hosts = hosts

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._hosts.append(transport.get_extra_info("peername")[0])


@contextlib.contextmanager
def listening(hosts: list[str], max_waiting: int) -> Iterator[tuple[Listening, int]]:
    """A listening socket and its port."""
    arrivals = functools.partial(Arrivals, by_host, max_waiting)
    one = Listening(ListenConfig(port=0), lambda: Opened(hosts), handshake_timeout_s=1.0, arrivals=arrivals)
    try:
        yield one, int(str(one.addresses[0]["port"]))
    finally:
        one.close()


async def opened(hosts: list[str], host: str, count: int = 1) -> None:
    """Wait until so many connections from `host` have been opened."""
    async with asyncio.timeout(TIMEOUT_S):
        while hosts.count(host) < count:  # noqa: ASYNC110  # a list has no event to wait for
            await asyncio.sleep(0)


def test_addresses_take_turns() -> None:
    """L-10"""
    arrivals = Arrivals(by_host, 10)
    waiting = [(socket.socket(), host) for host in "aaaabbc"]
    with contextlib.ExitStack() as sockets:
        for each in waiting:
            sockets.enter_context(each[0])
            assert arrivals.add(*each)
        a, b, c = ([each for each in waiting if each[1] == host] for host in "abc")
        assert list(arrivals.take(4)) == [a[0], b[0], c[0], a[1]]
        assert list(arrivals.take(4)) == [b[1], a[2], a[3]]
        assert not arrivals


def test_one_address_may_have_a_limited_number_waiting() -> None:
    """L-10: other addresses are not limited by it, connections without an address never"""
    arrivals = Arrivals(by_host, 2)
    with contextlib.ExitStack() as sockets:
        new = (sockets.enter_context(socket.socket()) for _ in itertools.count())
        assert [arrivals.add(next(new), "a") for _ in range(3)] == [True, True, False]
        assert arrivals.add(next(new), "b")
        assert [arrivals.add(next(new), ANY) for _ in range(5)] == [True] * 5
        list(arrivals.take(1))
        assert arrivals.add(next(new), "a")


async def test_a_client_does_not_wait_behind_the_flood_of_another_address() -> None:
    """L-10"""
    hosts: list[str] = []
    with listening(hosts, 1_000) as (one, port), contextlib.ExitStack() as clients:
        for host in (*[FLOOD] * 600, NEWCOMER):
            clients.enter_context(connected(port, host))
        one.start("/")
        await opened(hosts, NEWCOMER)
        assert len(hosts) < 150
        await opened(hosts, FLOOD, 600)


async def test_connections_closed_while_waiting_are_not_opened() -> None:
    """L-10: closed by FIN and by RST"""
    hosts: list[str] = []
    with listening(hosts, 1_000) as (one, port), connected(port, NEWCOMER) as silent:
        for _ in range(100):
            connected(port, FLOOD).close()
            with connected(port, FLOOD) as client:
                client.shutdown(socket.SHUT_WR)
        one.start("/")
        await opened(hosts, NEWCOMER)
        with connected(port, "127.0.0.3"):
            await opened(hosts, "127.0.0.3")
        assert hosts == [NEWCOMER, "127.0.0.3"]
        silent.close()


async def test_a_client_that_half_closes_after_its_request_is_served() -> None:
    """L-10: a FIN from the client still allows an answer"""
    hosts: list[str] = []
    with listening(hosts, 1_000) as (one, port), connected(port, NEWCOMER) as client:
        client.sendall(request_bytes("GET", "/"))
        client.shutdown(socket.SHUT_WR)
        one.start("/")
        await opened(hosts, NEWCOMER)


async def test_connections_beyond_the_waiting_limit_are_closed_and_counted() -> None:
    """L-10"""
    hosts: list[str] = []
    with listening(hosts, 20) as (one, port), contextlib.ExitStack() as clients:
        flood = [clients.enter_context(connected(port, FLOOD)) for _ in range(60)]
        one.start("/")
        clients.enter_context(connected(port, NEWCOMER))
        await opened(hosts, NEWCOMER)
        await opened(hosts, FLOOD, 20)
        refused = one.refusals.counts[ListenLimit.MAX_CONNECTIONS_PER_ADDRESS]
        assert refused == 40
        for client in flood[-refused:]:
            assert client.recv(1) == b""
