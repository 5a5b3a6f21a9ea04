"""The proxies of README.md, alone and chained, with the headers that they really send."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Final

import pytest

from bench.ports import free_port
from tests.chat.daemon import daemon
from tests.conformance.wire import NO_HEADERS, TIMEOUT_S, Connection, Headers, handshake_headers, request_bytes
from tests.listen.certificates import make_certificate, trusting
from tests.listen.served import TlsClient
from tests.ops.proxies import Place, Proxy, caddy, haproxy, nginx

ALL: Final = (nginx, caddy, haproxy)
VISITOR: Final = "127.0.0.9"
ELSEWHERE: Final = "203.0.113.9"

# Headers that a client may forge.
FORGED: Final = {
    "X-Forwarded-For": ELSEWHERE,
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": f"for={ELSEWHERE};host=evil.example;proto=http",
}


def named(proxy: Proxy) -> str:
    return proxy.name


# Inner proxies that speak plain HTTP with an outer one; each extends the forwarding headers in its own way.
INSIDE: Final = {
    "nginx, one list": (
        nginx,
        """
        map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
        server {{
            listen 127.0.0.1:{port};
            location / {{
                proxy_pass http://127.0.0.1:{backend};
                proxy_http_version 1.1;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection $connection_upgrade;
                proxy_set_header Host inner.example:8080;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Proto "$http_x_forwarded_proto, $scheme";
                proxy_set_header X-Forwarded-Host "$http_host, inner.example:8080";
            }}
        }}
        """,
    ),
    "haproxy, on lines of their own": (
        haproxy,
        """
        defaults
            mode http
            timeout connect 5s
            timeout client 9s
            timeout server 9s
            option forwardfor
        listen inside
            bind 127.0.0.1:{port}
            http-request add-header X-Forwarded-Proto http
            server one 127.0.0.1:{backend}
        """,
    ),
    "caddy, passed on": (
        caddy,
        """
        http://127.0.0.1:{port} {{
            reverse_proxy 127.0.0.1:{backend} {{
                trusted_proxies 127.0.0.1
            }}
        }}
        """,
    ),
}
UPGRADES_AS_WSS: Final = "http-request set-header X-Forwarded-Proto wss if { hdr(Upgrade) -i websocket }"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """The address of the outer proxy."""
    return Place(tmp_path, free_port(), free_port(), *make_certificate(tmp_path, "chat"))


class Visitor(TlsClient):
    """Connects from an address that is no proxy's."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.port, trusting(place.certificate))
        self.path = "/socket.io/"
        self._trusting = trusting(place.certificate)

    async def connect(self, receive_buffer_bytes: int | None = None) -> Connection:
        async with asyncio.timeout(TIMEOUT_S):
            streams = await asyncio.open_connection(self.host, self.port, ssl=self._trusting, local_addr=(VISITOR, 0))
        return self._kept(Connection(*streams))


async def statuses(place: Place, origin: str, headers: Headers = NO_HEADERS) -> tuple[int, int]:
    """The status of a poll and of a WebSocket handshake from a page of `origin`."""
    async with Visitor(place) as visitor:
        said = {"Origin": origin, "Host": f"127.0.0.1:{place.port}", **headers}
        poll = await visitor.request("GET", {"EIO": "4", "transport": "polling"}, said)
        connection = await visitor.connect()
        target = visitor.target(EIO="4", transport="websocket")
        connection.write(request_bytes("GET", target, {**handshake_headers(), **said}))
        return poll.status, (await connection.answer()).status


async def is_served_as_one_site(place: Place, db: Path) -> None:
    """Check that only the site's own pages connect, by both transports, and that the log has the client's address."""
    async with daemon(db, "--port", str(place.backend), "--trusted-proxy", "127.0.0.1") as chatd:
        for forged in ({}, FORGED):
            assert await statuses(place, f"https://127.0.0.1:{place.port}", forged) == (200, 101)
            assert await statuses(place, f"http://127.0.0.1:{place.port}", forged) == (403, 403)
            assert await statuses(place, "https://evil.example", {}) == (403, 403)
        chatd.terminate()
        await chatd.ended()
    opened = [line for line in chatd.log if line["message"] == "session open"]
    assert {line["address"] for line in opened} == {VISITOR}
    assert [line["transport"] for line in opened] == ["polling", "websocket"] * 2


@pytest.mark.parametrize("proxy", ALL, ids=named)
async def test_behind_each_proxy_of_the_readme_the_site_s_own_pages_connect(
    proxy: Proxy, place: Place, tmp_path: Path
) -> None:
    """E-14, E-48, L-04"""
    async with proxy.running(proxy.placed(proxy.readme_configuration(), place), place):
        await is_served_as_one_site(place, tmp_path / "chatd.db")


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("outside", ALL, ids=named)
async def test_behind_two_proxies_the_site_s_own_pages_connect(
    outside: Proxy, inside: str, place: Place, tmp_path: Path
) -> None:
    """E-48, L-04: X-Forwarded-Proto is `https, http`, as a list or on two lines, or only the first value"""
    inner, configuration = INSIDE[inside]
    folder = tmp_path / "inside"
    folder.mkdir()
    inner_place = dataclasses.replace(place, folder=folder, port=place.backend, backend=free_port())
    configuration = f"{configuration.format(port=inner_place.port, backend=inner_place.backend)}\n"
    async with (
        inner.running(configuration, inner_place),
        outside.running(outside.placed(outside.readme_configuration(), place), place),
    ):
        both = dataclasses.replace(place, backend=inner_place.backend)
        await is_served_as_one_site(both, tmp_path / "chatd.db")


async def test_behind_a_proxy_that_forwards_proto_wss_own_pages_connect(place: Place, tmp_path: Path) -> None:
    """E-48: as Traefik does"""
    was = "http-request set-header X-Forwarded-Proto https"
    readme = haproxy.readme_configuration()
    assert was in readme
    configuration = readme.replace(was, f"{was}\n    {UPGRADES_AS_WSS}")
    async with haproxy.running(haproxy.placed(configuration, place), place):
        await is_served_as_one_site(place, tmp_path / "chatd.db")


@pytest.mark.parametrize("proxy", ALL, ids=named)
async def test_proxies_pass_on_a_forged_forwarded_header(proxy: Proxy, place: Place) -> None:
    """E-48: therefore chatd reads X-Forwarded-* and not Forwarded"""
    heard: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", place.backend),
        proxy.running(proxy.placed(proxy.readme_configuration(), place), place),
    ):
        assert await statuses(place, "https://evil.example", FORGED) == (403, 403)
    assert len(heard) == 2
    for head in heard:
        lines = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        assert lines["forwarded"] == FORGED["Forwarded"].lower()
        assert (lines["x-forwarded-for"], lines["x-forwarded-proto"]) == (VISITOR, "https")
        assert lines.get("x-forwarded-host", lines["host"]) == lines["host"] == f"127.0.0.1:{place.port}"
