from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.engineio.framing import StrictConnection
from chatd.engineio.handshake import plain_handshake
from chatd.engineio.request import by_name

FIRST = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"
HOST, UPGRADE, COOKIE = b"Host: chat.example", b"Upgrade: websocket", b"Cookie: token=a.b.c; x=\xc3\xb1"
BROWSER = (HOST, b"Connection: keep-alive, Upgrade", UPGRADE, b"Origin:https://chat.example", b"Empty:", COOKIE)


def head(*lines: bytes, first: bytes = FIRST) -> bytes:
    return b"\r\n".join([first, *lines, b"", b""])


def by_h11(data: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """Target and headers of a GET without a body. Raises h11.RemoteProtocolError."""
    connection = StrictConnection(h11.SERVER)
    connection.receive_data(data)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    assert request.method == b"GET"
    assert isinstance(connection.next_event(), h11.EndOfMessage)
    assert connection.trailing_data == (b"", False)
    return request.target, by_name(request.headers)


def test_the_handshake_of_a_browser_is_parsed_as_by_h11() -> None:
    """E-18"""
    plain = plain_handshake(head(*BROWSER))
    assert plain is not None
    assert tuple(plain) == by_h11(head(*BROWSER))
    assert plain.headers[b"cookie"] == b"token=a.b.c; x=\xc3\xb1"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        head(*BROWSER)[:-1],
        head(*BROWSER) + b"\x81",
        head(*BROWSER) + head(*BROWSER),
        head(HOST, UPGRADE).replace(b"\r\n", b"\n"),
        head(HOST, UPGRADE, b" folded"),
        head(HOST, UPGRADE, b"a: b\nc: d"),
        head(HOST, UPGRADE, b"a: \x00"),
        head(HOST, UPGRADE, b"no colon"),
        head(HOST, UPGRADE, b"a : b"),
        head(HOST, UPGRADE, b": b"),
        head(HOST, UPGRADE, HOST),
        head(HOST, UPGRADE, COOKIE, COOKIE),
        head(UPGRADE),
        head(HOST),
        head(HOST, UPGRADE, b"Content-Length: 0"),
        head(HOST, UPGRADE, b"Transfer-Encoding: chunked"),
        head(HOST, UPGRADE, b"Expect: 100-continue"),
        head(HOST, UPGRADE, first=FIRST.replace(b"GET", b"POST")),
        head(HOST, UPGRADE, first=FIRST.replace(b"1.1", b"1.0")),
        head(HOST, UPGRADE, first=b"GET / x HTTP/1.1"),
    ],
)
def test_all_other_requests_are_left_to_h11(data: bytes) -> None:
    """E-17, E-46"""
    assert plain_handshake(data) is None


PIECE = st.sampled_from(
    [*BROWSER, b"\r\n", b"\n", b" ", b"\t", b":", b"A", b"\xff", b"\x00", b"GET", b"Content-Length: 1", b"chunked"]
) | st.binary(max_size=4)


@given(st.lists(PIECE, max_size=12), st.sampled_from([b"\r\n", b"\n", b""]))
def test_the_fast_path_parses_as_h11(pieces: list[bytes], between: bytes) -> None:
    """E-46: the fast path never serves a request with an ambiguous end"""
    data = FIRST + b"\r\n" + HOST + b"\r\n" + UPGRADE + b"\r\n" + between.join(pieces) + b"\r\n\r\n"
    plain = plain_handshake(data)
    if plain is not None:
        assert tuple(plain) == by_h11(data)
