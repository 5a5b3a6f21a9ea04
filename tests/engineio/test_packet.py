"""Packets, encoded as text and as binary."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.base.errors import WireError
from chatd.engineio.packet import EnginePacketError, Packet, PacketType, decode, encode, encode_base64

FRAMES = [
    ("0{}", Packet(PacketType.OPEN, "{}")),
    ("1", Packet(PacketType.CLOSE)),
    ("2", Packet(PacketType.PING)),
    ("2probe", Packet(PacketType.PING, "probe")),
    ("3probe", Packet(PacketType.PONG, "probe")),
    ("4", Packet(PacketType.MESSAGE, "")),
    ("4hello", Packet(PacketType.MESSAGE, "hello")),
    ("4¡hola, ñandú! 👋", Packet(PacketType.MESSAGE, "¡hola, ñandú! 👋")),
    ("44", Packet(PacketType.MESSAGE, "4")),
    ("5", Packet(PacketType.UPGRADE)),
    ("6", Packet(PacketType.NOOP)),
    (b"\x01\x02", Packet(PacketType.MESSAGE, b"\x01\x02")),
    (b"", Packet(PacketType.MESSAGE, b"")),
]


@pytest.mark.parametrize(("frame", "packet"), FRAMES)
def test_a_packet_reads_back_as_it_was_written(frame: str | bytes, packet: Packet) -> None:
    """E-01, E-03"""
    assert decode(frame) == packet
    assert encode(packet) == (frame.encode() if isinstance(frame, str) else frame)


@pytest.mark.parametrize("frame", ["", "7", "zzz", "-1", "a4", "B", " 4", "\x1e", "é", "４", "٤"])
def test_a_packet_starts_with_its_type(frame: str) -> None:
    """E-01"""
    with pytest.raises(EnginePacketError, match="starts with a digit"):
        decode(frame)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("bAQIDBA==", b"\x01\x02\x03\x04"),
        ("bAQIDBA", b"\x01\x02\x03\x04"),
        ("b", b""),
        ("b+/+/", b"\xfb\xff\xbf"),
        ("b-_-_", b"\xfb\xff\xbf"),
        ("bAA==", b"\x00"),
        ("bAQIDBA==\n", b"\x01\x02\x03\x04"),
        ("b AQ\tID\r\nBA==\r\n", b"\x01\x02\x03\x04"),
        ("bAQIDBA=", b"\x01\x02\x03\x04"),
        ("bAQIDBA===", b"\x01\x02\x03\x04"),
        ("bAR==", b"\x01"),
        ("b\r\n", b""),
    ],
)
def test_base64_as_encoders_write_it_is_binary(text: str, data: bytes) -> None:
    """E-02"""
    assert decode(text) == Packet(PacketType.MESSAGE, data)


@pytest.mark.parametrize("text", ["bA", "b!!!!", "bAQ=ID", "bñ", "bAAAAA"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    """E-02"""
    with pytest.raises(EnginePacketError, match="not base64"):
        decode(text)


@given(st.binary())
def test_binary_survives_base64(data: bytes) -> None:
    """E-02"""
    text = encode_base64(data)
    assert text == b"b" + base64.b64encode(data)
    assert decode(text.decode()) == Packet(PacketType.MESSAGE, data)


@given(st.sampled_from(PacketType), st.text())
def test_any_text_packet_survives_the_wire(kind: PacketType, data: str) -> None:
    """E-01"""
    with contextlib.suppress(UnicodeEncodeError):  # a lone surrogate has no UTF-8
        assert decode(encode(Packet(kind, data)).decode()) == Packet(kind, data)


@given(st.text() | st.binary() | st.text().map("b".__add__))
def test_any_frame_decodes_or_raises_a_wire_error(frame: str | bytes) -> None:
    """E-01"""
    with contextlib.suppress(WireError):
        decode(frame)
