"""Encoding of outgoing packets, for every transport."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from chatd.engineio.outgoing import CLOSE, NOOP, PING, PROBE_PONG, OutgoingBatch, outgoing, websocket_frame
from chatd.engineio.packet import Packet, PacketType

HELLO = outgoing(Packet(PacketType.MESSAGE, "hello"))
BYTES = outgoing(Packet(PacketType.MESSAGE, b"\x01\x02\x03\x04"))


def parsed(data: bytes) -> Frame:
    """`data` parsed by a library that chatd does not use to write frames."""
    reader = StreamReader()
    reader.feed_data(data)
    parser = Frame.parse(reader.read_exact, mask=False)
    try:
        next(parser)
    except StopIteration as end:
        frame: Frame = end.value
        assert reader.buffer == b""
        return frame
    raise AssertionError("the frame is not whole")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_frame_of_any_size_equals_that_of_the_library(opcode: Opcode, size: int) -> None:
    payload = b"x" * size
    assert websocket_frame(opcode, payload) == Frame(opcode, payload).serialize(mask=False)


@given(st.sampled_from(PacketType), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_packet_is_a_text_frame(kind: PacketType, data: str) -> None:
    packet = outgoing(Packet(kind, data))
    assert parsed(packet.frame) == Frame(Opcode.TEXT, f"{int(kind)}{data}".encode())
    assert packet.text_frame == packet.frame
    assert packet.text == f"{int(kind)}{data}".encode()
    assert list(packet.packets) == [packet]


def test_a_binary_message_is_a_binary_frame_and_base64_in_a_payload() -> None:
    assert parsed(BYTES.frame) == Frame(Opcode.BINARY, b"\x01\x02\x03\x04")
    assert parsed(BYTES.text_frame) == Frame(Opcode.TEXT, b"bAQIDBA==")
    assert BYTES.text == b"bAQIDBA=="
    assert list(BYTES.packets) == [BYTES]


def test_a_batch_is_its_parts_in_order() -> None:
    batch = OutgoingBatch([HELLO, OutgoingBatch([BYTES, PING]), HELLO])
    parts = [HELLO, BYTES, PING, HELLO]
    assert batch.frame == b"".join(part.frame for part in parts)
    assert batch.text_frame == b"".join(part.text_frame for part in parts)
    assert list(batch.packets) == parts


def test_a_shared_batch_is_joined_once() -> None:
    batch = OutgoingBatch([HELLO, BYTES])
    assert batch.frame is batch.frame
    assert batch.text_frame is batch.text_frame


def test_an_empty_batch_is_nothing() -> None:
    batch = OutgoingBatch([])
    assert batch.frame == batch.text_frame == b""
    assert list(batch.packets) == []


def test_constant_packets_are_encoded_in_advance() -> None:
    assert [packet.text for packet in (CLOSE, NOOP, PING, PROBE_PONG)] == [b"1", b"6", b"2", b"3probe"]
