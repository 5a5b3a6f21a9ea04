"""Rule W-07: the fast path and h11 read an answer alike."""

from __future__ import annotations

import h11
import pytest

from chatd.webhooks.answer import MAX_ANSWER_BYTES, Answer, plain_answer

DATE = b"Date: Sun, 29 Nov 2026 09:00:00 GMT\r\n"


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204, b"")),
        (b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 2\r\n\r\nok", Answer(200, b"ok")),
        (b"HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", Answer(200, b"")),
        (b"HTTP/1.1 500 Fall\xf3\r\nConnection: Keep-Alive\r\nContent-Length: 0 \r\n\r\n", Answer(500, b"")),
        (b"HTTP/1.1 410 Gone\r\nX: a\r\nKeep-Alive: timeout=5\r\nContent-Length: 1\r\n\r\n\r", Answer(410, b"\r")),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n", Answer(304, b"")),
    ],
)  # fmt: skip
def test_a_plain_answer_is_read_as_h11_reads_it(data: bytes, answer: Answer) -> None:
    assert plain_answer(data) == answer
    assert _by_h11(data) == answer


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 204 No Content\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0, 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: folded\r\n Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\rContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n" + bytes(MAX_ANSWER_BYTES + 1),
        b" HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_every_other_answer_is_left_to_h11(data: bytes) -> None:
    assert plain_answer(data) is None


def _by_h11(data: bytes) -> Answer:
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="POST", target="/", headers=[("Host", "x"), ("Content-Length", "0")]))
    http.send(h11.EndOfMessage())
    http.receive_data(data)
    head = http.next_event()
    assert isinstance(head, h11.Response)
    body = b""
    while isinstance(event := http.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert http.their_state is h11.DONE
    return Answer(head.status_code, body)
