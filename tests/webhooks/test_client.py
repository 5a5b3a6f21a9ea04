"""Requests to a real server whose answers the test writes byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import h11
import pytest

from chatd.webhooks.address import parse_target
from chatd.webhooks.answer import MAX_ANSWER_BYTES
from chatd.webhooks.client import NO_ANSWER, Poster
from chatd.webhooks.connection import GoneError
from tests.chat.daemon import daemon
from tests.webhooks.receiver import PATIENCE_S, write_config

END = b""
"""Close the connection here."""

PAUSE = b"pause"
"""Wait here for `go_on`."""

NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Peer:
    """Sends the next answer, in its pieces, after each request."""

    def __init__(self, answers: Sequence[Sequence[bytes]]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.asked = asyncio.Semaphore(0)
        self.ended = asyncio.Semaphore(0)
        self.go_on = asyncio.Event()
        self._answers = iter(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._serve_one(reader, writer):
                pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.ended.release()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", request)
        self.requests.append(request + await reader.readexactly(0 if length is None else int(length[1])))
        self.asked.release()
        for piece in next(self._answers, [NOTHING]):
            if piece == END:
                return False
            if piece == PAUSE:
                await self.go_on.wait()
                continue
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return True


@contextlib.asynccontextmanager
async def peer(*answers: Sequence[bytes], timeout_s: float = 20.0) -> AsyncIterator[tuple[Peer, Poster]]:
    there = Peer(answers)
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    there.port = server.sockets[0].getsockname()[1]
    poster = Poster(parse_target(f"http://127.0.0.1:{there.port}/h?x=1"), private=True, timeout_s=timeout_s)
    try:
        yield there, poster
    finally:
        poster.close()
        server.close()
        for _ in range(there.connections):
            await there.ended.acquire()


async def test_a_request_has_its_headers_once_and_its_body() -> None:
    """W-03, W-07"""
    async with peer([NOTHING]) as (there, poster):
        assert await poster.post([("webhook-id", "e-1"), ("webhook-timestamp", "5")], b"{}") == 204
        head, _, body = there.requests[0].partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        assert first == b"POST /h?x=1 HTTP/1.1"
        names = [line.split(b":")[0].lower() for line in lines]
        assert sorted(names) == sorted(
            [b"host", b"user-agent", b"content-type", b"content-length", b"webhook-id", b"webhook-timestamp"]
        )
        assert b"content-length: 2" in head.lower()
        assert body == b"{}"


@pytest.mark.parametrize(
    "answer",
    [
        [NOTHING],
        [NOTHING[:20], NOTHING[20:]],
        [CHUNKED, b"2\r\nok\r\n", b"0\r\n\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", NOTHING],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok"],
    ],
)
async def test_a_connection_is_used_again_after_a_complete_answer(answer: list[bytes]) -> None:
    """W-05"""
    async with peer(answer, answer) as (there, poster):
        for _ in range(2):
            assert await poster.post([], b"{}") in {200, 204}
        assert there.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.0 200 OK\r\n\r\n", b"ok", END],
        [b"HTTP/1.1 200 OK\r\n\r\n", b"ok", END],
        [NOTHING + NOTHING],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + bytes(90_000)],
        [CHUNKED + b"15f90\r\n" + bytes(90_000)],
    ],
)
async def test_the_next_request_has_another_connection_after_any_other_answer(answer: list[bytes]) -> None:
    """W-07"""
    async with peer(answer, [NOTHING]) as (there, poster):
        assert await poster.post([], b"{}") in {200, 204}
        assert await poster.post([], b"{}") == 204
        assert there.connections == 2


async def test_bytes_between_two_requests_are_no_answer_to_the_next() -> None:
    """W-05"""
    async with peer([NOTHING, PAUSE, NOTHING.replace(b"204", b"200")], [NOTHING]) as (there, poster):
        await poster.post([], b"{}")
        there.go_on.set()
        async with asyncio.timeout(20):
            while poster._idle[0].is_reusable:  # noqa: ASYNC110 - a connection has no event to wait for
                await asyncio.sleep(0.001)
        assert await poster.post([], b"{}") == 204
        assert there.connections == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([END], GoneError),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", END], h11.RemoteProtocolError),
        ([b"HTTP/1.1 200 OK\r\n", END], h11.RemoteProtocolError),
        ([b"220 smtp ready\r\n\r\n"], h11.RemoteProtocolError),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000], h11.RemoteProtocolError),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 0, 1\r\n\r\n"], h11.RemoteProtocolError),
    ],
)
async def test_what_is_no_answer_is_an_error_and_ends_the_connection(
    answer: list[bytes], error: type[Exception]
) -> None:
    """W-05"""
    async with peer(answer, [NOTHING]) as (there, poster):
        with pytest.raises(error) as caught:
            await poster.post([], b"{}")
        assert isinstance(caught.value, NO_ANSWER)
        assert await poster.post([], b"{}") == 204
        assert there.connections == 2


async def test_a_late_answer_is_not_that_to_the_next_request() -> None:
    """W-05"""
    async with peer([NOTHING[:20]], [NOTHING], timeout_s=0.2) as (there, poster):
        with pytest.raises(TimeoutError):
            await poster.post([], b"{}")
        assert await poster.post([], b"{}") == 204
        assert there.connections == 2


async def test_a_connection_that_ended_while_idle_costs_no_try() -> None:
    """W-05"""
    async with peer([NOTHING, END], [NOTHING]) as (there, poster):
        await poster.post([], b"{}")
        assert await poster.post([], b"{}") == 204
        assert there.connections == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    """W-07: not even to the same host."""
    redirect = b"HTTP/1.1 %d Elsewhere\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n" % status
    async with peer([redirect], [NOTHING]) as (there, poster):
        assert await poster.post([], b"{}") == status
        assert await poster.post([], b"{}") == 204
        assert [request.split(b" ")[1] for request in there.requests] == [b"/h?x=1", b"/h?x=1"]


async def test_no_log_has_a_word_of_an_answer(tmp_path: Path) -> None:
    """W-07: of a refusal, and of what is no HTTP."""
    word = b"sesame"
    answers = [
        [b"HTTP/1.1 500 " + word + b"\r\nX: " + word + b"\r\nContent-Length: 6\r\n\r\n" + word],
        [b"HTTP/1.1 503 " + word + b"\r\nX: " + word + b"\r\n\r\n" + word, END],
        [b"HTTP/1.1 200 OK\r\n" + word + b"\r\n\r\n", END],
        [word + b"\r\n\r\n", END],
        [b"HTTP/1.1 200 OK\r\nContent-Length: " + word + b"\r\n\r\n", END],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + word + b"\r\n\r\n", END],
        [CHUNKED + word + b"\r\n", END],
    ]
    async with peer(*answers) as (there, _):
        config = write_config(tmp_path, f"http://127.0.0.1:{there.port}/h")
        async with daemon(tmp_path / "c.db", "--config", config, "--log-level", "debug") as chatd:
            for number in range(len(answers)):
                await (await chatd.enter(f"user-{number}")).write("root", "hola")
            async with asyncio.timeout(PATIENCE_S):
                for _ in range(2 * len(answers)):  # each is sent again
                    await there.asked.acquire()
            chatd.terminate()
            await chatd.ended()
            assert "no answer of a webhook" in str(chatd.log)
            assert word.decode() not in str(chatd.log)


async def test_a_body_is_read_up_to_the_limit() -> None:
    """M-13"""
    many = MAX_ANSWER_BYTES
    async with peer(
        [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % many, bytes(many)],
        [b"HTTP/1.1 200 OK\r\n\r\n", bytes(10 * many), bytes(10 * many)],
    ) as (_, poster):
        assert len((await poster.get("/p", [("Authorization", "Bearer x")])).body) == many
        assert many < len((await poster.get("/p", [])).body) <= 20 * many
