"""Requests with an ambiguous end. Node.js's own parser refuses them too (Node 20)."""

from __future__ import annotations

import asyncio

import pytest

from chatd.engineio.reasons import CloseReason
from tests.conformance.engineio.engine import Engine
from tests.conformance.wire import Client, Connection, chunk, request_bytes

HANDSHAKE = "/engine.io/?EIO=4&transport=polling"

# The request that an attacker tries to smuggle.
SMUGGLED = request_bytes("GET", HANDSHAKE)

POST = "POST / HTTP/1.1\r\nHost: a\r\n"

HEADS = {
    "a length, then chunks": f"{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks, then a length": f"{POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a length of nothing beside chunks": f"{POST}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "names in capitals": f"{POST}CONTENT-LENGTH: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n",
    "two lengths that agree": f"{POST}Content-Length: 1\r\ncontent-length: 1\r\n\r\nx",
    "a list of lengths that agree": f"{POST}Content-Length: 1, 1\r\n\r\nx",
    "two lengths that do not": f"{POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "chunks behind a vertical tab": f"{POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": f"{POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a tab before the colon": f"{POST}Content-Length\t: 1\r\n\r\nx",
    "a space before the name": "POST / HTTP/1.1\r\n Host: a\r\n\r\n",
    "a length with an underscore": f"{POST}Content-Length: 1_0\r\n\r\nx",
    "a length in hexadecimal": f"{POST}Content-Length: 0x1\r\n\r\nx",
    "an empty length": f"{POST}Content-Length:\r\n\r\n",
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "LF behind the request line": "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "LF behind a header": "GET / HTTP/1.1\r\nX: a\nHost: a\r\n\r\n",
    "LF in front of the end": "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "LF as the end": "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "LF everywhere": "GET / HTTP/1.1\nHost: a\n\n",
    "CR alone": "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "CR twice": "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
    "a folded header": "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    "a header folded by a tab": "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\tb\r\n\r\n",
    "a folded coding": f"{POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a folded length": f"{POST}Content-Length: 1\r\n 0\r\n\r\nx",
}  # fmt: skip

CODINGS = {
    "chunks twice": f"{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a list of chunks": f"{POST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks after something": f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks and identity": f"{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "nearly chunks": f"{POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks with a parameter": f"{POST}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    "chunks in quotes": f'{POST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
}  # fmt: skip


async def refused(connection: Connection) -> int:
    """The status of an answer after which no request is answered."""
    answer = await connection.answer()
    assert answer.header("connection") == "close"
    assert await connection.rest() == b""
    return answer.status


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_a_request_with_an_ambiguous_length_is_refused_and_the_rest_is_dropped(engine: Engine, head: str) -> None:
    """E-46"""
    connection = await engine.client.connect()
    connection.write(head.encode("latin-1") + SMUGGLED)
    assert await refused(connection) == 400
    assert engine.server.sessions == {}


@pytest.mark.parametrize("head", CODINGS.values(), ids=CODINGS)
async def test_a_transfer_coding_other_than_one_chunked_is_refused(engine: Engine, head: str) -> None:
    """E-46"""
    connection = await engine.client.connect()
    connection.write(head.encode("latin-1") + SMUGGLED)
    assert await refused(connection) == 501
    assert engine.server.sessions == {}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_a_request_with_an_ambiguous_length_is_refused_byte_by_byte(client: Client, head: str) -> None:
    """E-46"""
    connection = await client.connect()
    for byte in head.encode("latin-1"):
        connection.write(bytes([byte]))
        await asyncio.sleep(0)
    assert await refused(connection) == 400


TRAILERS = {
    "LF behind a trailer": b"0\r\nX: y\n\r\n",
    "LF as the end": b"0\r\n\n",
    "LF as the end of a trailer": b"0\r\nX: y\n\n",
    "a folded trailer": b"0\r\nX: y\r\n z\r\n\r\n",
    "LF behind a size": b"0\n\r\n",
    "LF behind an extension": b"1;x\nX\r\n0\r\n\r\n",
    "LF behind a chunk": b"1\r\nx\n0\r\n\r\n",
    "a size with a sign": b"+1\r\nx\r\n0\r\n\r\n",
    "a size with a prefix": b"0x1\r\nx\r\n0\r\n\r\n",
    "a space before a size": b" 1\r\nx\r\n0\r\n\r\n",
    "a chunk that is longer": b"1\r\nxy\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("trailer", TRAILERS.values(), ids=TRAILERS)
async def test_a_malformed_chunked_body_is_refused_and_ends_the_session(engine: Engine, trailer: bytes) -> None:
    """E-46, E-34"""
    session = await engine.client.polling()
    connection = await engine.client.connect()
    connection.write(request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked"}))
    connection.write(chunk(b"4a") + trailer + SMUGGLED)
    assert await refused(connection) == 400
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR
    assert engine.peer(session.sid).messages == []


async def test_unambiguous_chunks_and_pipelined_requests_are_served(client: Client) -> None:
    """E-15, E-46: chunks, extensions, trailers, and a comma or a line end in a value or a body"""
    session = await client.polling()
    connection = await client.connect()
    odd = {"X-List": "a, b\t c", "Transfer-Encoding": "Chunked"}
    connection.write(request_bytes("POST", session.target(), odd))
    connection.write(b"3;name=value\r\n4a\n\r\n" + chunk(b" b") + b"0\r\nX: y\r\n\r\n")
    assert (await connection.answer()).text == "ok"
    assert (await connection.request("POST", session.target(), body=b"4\n\n")).text == "ok"
    assert await session.poll() == ["4a\n b", "4\n\n"]
