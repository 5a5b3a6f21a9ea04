"""Several packets in one polling body."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.base.errors import WireError
from chatd.engineio.outgoing import outgoing
from chatd.engineio.packet import EnginePacketError, Packet, PacketType
from chatd.engineio.payload import decode_payload, encode_payload

MESSAGE = PacketType.MESSAGE

MESSAGES = st.text(st.characters(exclude_characters="\x1e", exclude_categories=["Cs"])) | st.binary()


def decoded(body: bytes, max_packets: int = 100) -> list[Packet]:
    return list(decode_payload(body, max_packets=max_packets))


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        ("4hello", [Packet(MESSAGE, "hello")]),
        ("4test1\x1e4test2\x1e4test3", [Packet(MESSAGE, "test1"), Packet(MESSAGE, "test2"), Packet(MESSAGE, "test3")]),
        ("4hello\x1ebAQIDBA==", [Packet(MESSAGE, "hello"), Packet(MESSAGE, b"\x01\x02\x03\x04")]),
        ("4\x1e3", [Packet(MESSAGE, ""), Packet(PacketType.PONG)]),
    ],
)
def test_packets_are_joined_by_a_record_separator(body: str, packets: list[Packet]) -> None:
    """E-05"""
    assert decoded(body.encode()) == packets
    assert encode_payload(outgoing(packet).text for packet in packets) == body.encode()


@pytest.mark.parametrize("body", [b"", b"4a\x1e", b"\x1e4a", b"4a\x1e\x1e4b", b"abc", b"4a\x1ezzz"])
def test_a_part_that_is_no_packet_is_refused(body: bytes) -> None:
    """E-05"""
    with pytest.raises(EnginePacketError):
        decoded(body)


def test_packets_before_a_broken_one_are_delivered() -> None:
    """E-05"""
    packets = decode_payload(b"4first\x1e4second\x1ezzz\x1e4third", max_packets=10)
    assert [next(packets), next(packets)] == [Packet(MESSAGE, "first"), Packet(MESSAGE, "second")]
    with pytest.raises(EnginePacketError):
        next(packets)


def test_packets_are_counted_before_any_is_delivered() -> None:
    """E-06"""
    assert len(decoded(b"\x1e".join([b"4"] * 5), max_packets=5)) == 5
    with pytest.raises(EnginePacketError, match="more than 5"):
        decode_payload(b"\x1e".join([b"4"] * 6), max_packets=5)


@pytest.mark.parametrize("body", [b"4\xff", b"4\xed\xa0\x80", b"4\xc0\xaf", b"\x1f\x8b\x08\x00"])
def test_a_body_is_strict_utf8(body: bytes) -> None:
    """E-06"""
    with pytest.raises(EnginePacketError, match="UTF-8"):
        decode_payload(body, max_packets=10)


@given(st.lists(MESSAGES, min_size=1, max_size=20))
def test_any_messages_survive_a_poll(messages: list[str | bytes]) -> None:
    """E-05"""
    packets = [Packet(MESSAGE, data) for data in messages]
    assert decoded(encode_payload(outgoing(packet).text for packet in packets)) == packets


@given(st.binary() | st.text().map(lambda text: text.encode(errors="surrogatepass")), st.integers(1, 5))
def test_any_body_decodes_or_raises_a_wire_error(body: bytes, max_packets: int) -> None:
    """E-05, E-06"""
    with contextlib.suppress(WireError):
        assert 1 <= len(decoded(body, max_packets)) <= max_packets
