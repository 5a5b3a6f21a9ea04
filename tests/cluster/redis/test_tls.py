"""A real Redis with TLS."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.ports import free_port
from chatd.base.errors import ConfigError
from chatd.cluster.redis.address import RedisAddress, parse_address
from chatd.cluster.redis.tls import Credentials, secured
from tests.cluster.redis.recorder import Recorder, connected, trying
from tests.cluster.redis.server import RedisServer
from tests.listen.certificates import make_certificate
from tests.ops.tools import tool


class Secure(NamedTuple):
    """The port, the server's certificate for 127.0.0.1, and a client's certificate, each with its key."""

    port: int
    authority: Path
    key: Path
    client: tuple[Path, Path]

    def address(self, host: str = "127.0.0.1", **known: Path | str) -> RedisAddress:
        credentials = Credentials(**{"authorities": self.authority, **known})  # type: ignore[arg-type]
        return secured(parse_address(f"rediss://{host}:{self.port}"), credentials)


@contextlib.contextmanager
def secure_redis(folder: Path, *, asks: str = "no") -> Iterator[Secure]:
    """`asks`: whether the server requires a client certificate."""
    port, (cert, key), client = free_port(), make_certificate(folder, "redis"), make_certificate(folder, "node")
    files = ("--tls-cert-file", str(cert), "--tls-key-file", str(key), "--tls-ca-cert-file", str(client[0]))
    with RedisServer(folder, "--tls-port", str(port), *files, "--tls-auth-clients", asks) as server:
        server.start()
        yield Secure(port, cert, key, client)


@contextlib.contextmanager
def secure_sentinel(folder: Path, redis: Secure) -> Iterator[int]:
    """The port of one that knows `redis`."""
    port, config = free_port(), folder / "sentinel.conf"
    cert = f"tls-cert-file {redis.authority}\ntls-key-file {redis.key}\ntls-ca-cert-file {redis.authority}\n"
    config.write_text(
        f"port 0\ntls-port {port}\nbind 127.0.0.1\ndir {folder}\n{cert}tls-auth-clients no\ntls-replication yes\n"
        f"sentinel monitor chat 127.0.0.1 {redis.port} 1\n"
    )
    command = [tool("redis-server", "redis-server"), str(config), "--sentinel"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("+monitor master chat" in line for line in process.stdout)
        yield port
        process.kill()


async def refusal(address: RedisAddress) -> str:
    """The reason why the connection fails."""
    one = Recorder(address)
    async with trying(one) as attempts:
        await attempts.fail(2)
        assert one.told == []
        return str(one.bus.fault)


async def test_a_trusted_certificate_for_the_host_is_accepted(tmp_path: Path) -> None:
    """N-15"""
    with secure_redis(tmp_path) as redis:
        renamed = redis.address("localhost", name="127.0.0.1")
        async with connected(redis.address(), renamed) as (one, other):
            one.publish(b"heard")
            await other.until_heard(b"heard")


async def test_any_other_certificate_is_refused(tmp_path: Path) -> None:
    """N-15: self-signed, or for another host; plain TCP is refused too."""
    stranger, _ = make_certificate(tmp_path, "stranger")
    with secure_redis(tmp_path) as redis:
        assert "certificate verify failed" in await refusal(redis.address(authorities=stranger))
        assert "Hostname mismatch" in await refusal(redis.address("localhost"))
        assert "certificate verify failed" in await refusal(secured(redis.address(), Credentials()))
        assert await refusal(parse_address(f"redis://127.0.0.1:{redis.port}"))


async def test_a_client_certificate_is_sent_on_request(tmp_path: Path) -> None:
    """N-15"""
    with secure_redis(tmp_path, asks="yes") as redis:
        certificate, key = redis.client
        async with connected(redis.address(certificate=certificate, key=key)) as (one,):
            one.publish(b"heard")
            await one.until_heard(b"heard")
        assert await refusal(redis.address())


async def test_sentinels_are_asked_under_tls_too(tmp_path: Path) -> None:
    """N-15, N-18"""
    with secure_redis(tmp_path) as redis, secure_sentinel(tmp_path, redis) as port:
        url = f"rediss+sentinel://127.0.0.1:{port}/chat"
        async with connected(secured(parse_address(url), Credentials(authorities=redis.authority))) as (one,):
            one.publish(b"heard")
            await one.until_heard(b"heard")
        assert "certificate verify failed" in await refusal(secured(parse_address(url), Credentials()))
        assert "no Sentinel knows" in await refusal(parse_address(url.replace("rediss", "redis")))


def test_unusable_certificate_files_are_an_error(tmp_path: Path) -> None:
    """N-15"""
    address = parse_address("rediss://cache")
    (tmp_path / "empty").touch()
    certificate, _ = make_certificate(tmp_path, "one")
    _, key = make_certificate(tmp_path, "two")
    for wrong in (tmp_path / "missing", tmp_path / "empty"):
        with pytest.raises(ConfigError, match="bus_ca_file"):
            secured(address, Credentials(authorities=wrong))
        with pytest.raises(ConfigError, match="bus_cert_file"):
            secured(address, Credentials(certificate=wrong))
    with pytest.raises(ConfigError, match="bus_cert_file"):
        secured(address, Credentials(certificate=certificate, key=key))


def test_an_address_without_tls_is_unchanged() -> None:
    """N-15"""
    address = parse_address("redis://cache")
    assert secured(address, Credentials()) is address
