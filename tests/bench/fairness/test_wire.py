"""The bytes of a flood are valid: websockets and h11 parse them."""

from __future__ import annotations

import h11
import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from bench.fairness import wire


def _frames(data: bytes) -> list[Frame]:
    server = Protocol(Side.SERVER)
    server.receive_data(data)
    return [event for event in server.events_received() if isinstance(event, Frame)]


def _body(data: bytes) -> tuple[h11.Request, bytes]:
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    head = server.next_event()
    assert isinstance(head, h11.Request)
    body = b""
    while isinstance(event := server.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return head, body


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_frame_of_any_size_is_parsed(size: int) -> None:
    assert _frames(wire.frame(b"x" * size)) == [Frame(Opcode.TEXT, b"x" * size)]


def test_fragments_are_one_message() -> None:
    frames = _frames(wire.fragments(b"hola"))
    assert [(frame.opcode, frame.fin) for frame in frames] == [
        (Opcode.TEXT, False),
        (Opcode.CONT, False),
        (Opcode.CONT, False),
        (Opcode.CONT, True),
    ]
    assert b"".join(frame.data for frame in frames) == b"hola"


def test_an_event_is_a_text_message_of_socket_io() -> None:
    assert _frames(wire.event("leido", {"con": "ana"}, ack=7)) == [Frame(Opcode.TEXT, b'427["leido",{"con":"ana"}]')]


def test_a_body_is_sent_with_a_length_or_in_chunks() -> None:
    for data in (wire.post("abc", b"6\x1e6"), wire.chunked_post("abc", b"6\x1e6")):
        head, body = _body(data)
        assert (head.method, body) == (b"POST", b"6\x1e6")
        assert head.target.endswith(b"&sid=abc")


def test_a_get_carries_the_token() -> None:
    head, body = _body(wire.get(wire.WEBSOCKET, "abc", wire.HANDSHAKE))
    assert (b"cookie", b"token=abc") in list(head.headers)
    assert (b"upgrade", b"websocket") in list(head.headers)
    assert body == b""
