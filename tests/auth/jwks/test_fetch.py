from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from chatd.auth.jwks.fetch import Thread, fetch
from chatd.auth.jwks.keyset import KeySetError
from tests.auth.jwks.idp import Idp, key_set, providing
from tests.listen.certificates import make_certificate


@pytest.fixture
def idp() -> Iterator[Idp]:
    with providing() as idp:
        yield idp


def test_the_key_set_is_fetched_by_one_get(idp: Idp) -> None:
    """J-01"""
    assert fetch(idp.url, 10, 100_000) == key_set("rsa")
    ((path, headers),) = idp.asked
    assert path == "/keys?tenant=a"
    assert headers["Host"] == idp.url.split("/")[2]
    assert headers["User-Agent"].startswith("chatd/")


def test_an_answer_without_a_length_is_read_to_its_end(idp: Idp) -> None:
    def reply(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for byte in idp.body:
            request.wfile.write(bytes((byte,)))

    idp.reply = reply
    assert fetch(idp.url, 10, 100_000) == idp.body


@pytest.mark.parametrize(
    ("status", "why"),
    [(404, "it answers 404"), (500, "it answers 500"), (204, "it answers 204"), (302, "redirects are not followed")],
)
def test_an_answer_with_another_status_is_an_error(idp: Idp, status: int, why: str) -> None:
    """J-01"""
    idp.status = status
    with pytest.raises(KeySetError, match=why):
        fetch(idp.url, 10, 100_000)
    assert len(idp.asked) == 1


def test_an_answer_over_the_size_limit_is_aborted(idp: Idp) -> None:
    """J-01: with a Content-Length, and without one."""
    idp.body = b" " * 20_000
    with pytest.raises(KeySetError, match="longer than 10000 bytes"):
        fetch(idp.url, 10, 10_000)

    def reply(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            request.wfile.write(b" " * 10_000)

    idp.reply = reply
    with pytest.raises(KeySetError, match="longer than 10000 bytes"):
        fetch(idp.url, 10, 10_000)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"SSH-2.0-OpenSSH\r\n\r\n"])
def test_an_incomplete_answer_or_one_that_is_not_http_is_an_error(idp: Idp, answer: bytes) -> None:
    """J-01"""

    def reply(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(answer)

    idp.reply = reply
    with pytest.raises(KeySetError, match=r"its answer is no HTTP|closed the connection"):
        fetch(idp.url, 10, 10_000)


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "a byte at a time"])
def test_an_answer_has_one_time_limit_as_a_whole(idp: Idp, drips: bool) -> None:
    """J-01"""
    over = threading.Event()

    def reply(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.wait(0.02):
            if drips:
                request.wfile.write(b" ")

    idp.reply = reply
    began = time.monotonic()
    try:
        with pytest.raises(KeySetError, match=r"no answer within 0.3 s"):
            fetch(idp.url, 0.3, 10_000)
    finally:
        over.set()
    assert time.monotonic() - began < 15


def test_a_refused_connection_has_a_clear_error() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(KeySetError, match="cannot be reached"):
            fetch(f"http://127.0.0.1:{closed.getsockname()[1]}/", 10, 10_000)


def test_a_certificate_must_be_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """J-01: SSL_CERT_FILE adds a private certificate authority."""
    certificate = make_certificate(tmp_path, "login")
    with providing(certificate) as idp:
        with pytest.raises(KeySetError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(idp.url, 10, 100_000)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert fetch(idp.url, 10, 100_000) == idp.body
        with pytest.raises(KeySetError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(idp.url.replace("127.0.0.1", "localhost"), 10, 100_000)


async def test_a_fetch_that_hangs_times_out_and_is_not_started_twice() -> None:
    """J-01"""
    over, thread = threading.Event(), Thread()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await thread.run(over.wait)
    with pytest.raises(KeySetError, match="still hangs"):
        await thread.run(lambda: 1)
    over.set()
    async with asyncio.timeout(20):
        while True:
            try:
                assert await thread.run(lambda: 1) == 1
                return
            except KeySetError:
                await asyncio.sleep(0)
