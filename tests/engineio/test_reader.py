"""The WebSocket reader: bytes in, whole messages out."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import CloseCode, Opcode

from chatd.base.errors import WireError
from chatd.engineio.reader import FRAGMENT, MAX_FRAGMENTS, Message, MessageReader, WebSocketError
from tests.conformance.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame_bytes, text_frame

LIMIT = 1_000

# A stream with every kind of frame, and its messages.
STREAM = b"".join(
    [
        text_frame("4hello"),
        frame_bytes(PING, b"are you there"),
        frame_bytes(BINARY, bytes(range(256))),
        frame_bytes(TEXT, "4ñan".encode()[:3], fin=False),
        frame_bytes(PONG, b""),
        frame_bytes(CONTINUATION, b"", fin=False),
        frame_bytes(PING, b"x" * 125),
        frame_bytes(CONTINUATION, "4ñan".encode()[3:]),
        text_frame("4" + "x" * 124),
        text_frame("4" + "x" * 125),
        text_frame(""),
        frame_bytes(BINARY, b"", fin=False),
        frame_bytes(CONTINUATION, b"end"),
        frame_bytes(CLOSE, b"\x03\xe8"),
    ]
)
MESSAGES: list[Message] = [
    (Opcode.TEXT, "4hello"),
    (Opcode.PING, b"are you there"),
    (Opcode.BINARY, bytes(range(256))),
    (Opcode.PONG, b""),
    (Opcode.PING, b"x" * 125),
    (Opcode.TEXT, "4ñan"),
    (Opcode.TEXT, "4" + "x" * 124),
    (Opcode.TEXT, "4" + "x" * 125),
    (Opcode.TEXT, ""),
    (Opcode.BINARY, b"end"),
    (Opcode.CLOSE, b"\x03\xe8"),
]


def read(chunks: Iterable[bytes], limit: int = LIMIT) -> list[Message]:
    reader = MessageReader(limit)
    return [message for chunk in chunks for message in reader.feed(chunk) if message != FRAGMENT]


def fault(*chunks: bytes, limit: int = LIMIT) -> CloseCode:
    """The close code of the error in `chunks`."""
    with pytest.raises(WebSocketError) as caught:
        read(chunks, limit)
    return caught.value.code


def test_a_stream_is_read_whole() -> None:
    """E-07"""
    assert read([STREAM]) == MESSAGES


def test_a_stream_is_read_byte_by_byte() -> None:
    """E-07"""
    assert read(STREAM[i : i + 1] for i in range(len(STREAM))) == MESSAGES


def test_a_stream_is_read_split_at_any_byte() -> None:
    """E-07"""
    for cut in range(len(STREAM)):
        assert read([STREAM[:cut], STREAM[cut:]]) == MESSAGES, cut


@given(st.lists(st.integers(0, len(STREAM)), max_size=8).map(sorted))
def test_a_stream_is_read_in_any_chunks(cuts: list[int]) -> None:
    """E-07"""
    ends = [*cuts, len(STREAM)]
    assert read(STREAM[start:end] for start, end in zip([0, *cuts], ends, strict=True)) == MESSAGES


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=10), st.integers(1, 64))
def test_any_texts_are_read_back(texts: list[str], step: int) -> None:
    """E-07"""
    data = b"".join(map(text_frame, texts))
    chunks = [data[i : i + step] for i in range(0, len(data), step)]
    assert read(chunks, limit=100_000) == [(Opcode.TEXT, text) for text in texts]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=10))
def test_fragments_are_joined_with_any_control_frames_between(parts: list[bytes]) -> None:
    """E-07"""
    frames = [
        frame_bytes(CONTINUATION if i else BINARY, part, fin=i == len(parts) - 1) + frame_bytes(PING, b"%d" % i)
        for i, part in enumerate(parts)
    ]
    pings: list[Message] = [(Opcode.PING, b"%d" % i) for i in range(len(parts))]
    assert read(frames) == [*pings[:-1], (Opcode.BINARY, b"".join(parts)), pings[-1]]


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=300), max_size=5))
def test_any_bytes_are_read_or_raise_a_wire_error(chunks: list[bytes]) -> None:
    """E-07, E-08, E-09"""
    with contextlib.suppress(WireError):
        read(chunks)


@given(st.integers(0, len(STREAM) - 1), st.integers(0, 255), st.integers(1, 50))
def test_a_flipped_byte_never_escapes_as_another_error(at: int, value: int, step: int) -> None:
    """E-07, E-08, E-09"""
    data = STREAM[:at] + bytes([value]) + STREAM[at + 1 :]
    with contextlib.suppress(WireError):
        read(data[i : i + step] for i in range(0, len(data), step))


def test_messages_before_the_fault_are_delivered() -> None:
    """E-07"""
    messages = MessageReader(LIMIT).feed(text_frame("4a") + text_frame("4b") + frame_bytes(3, b""))
    assert [next(messages), next(messages)] == [(Opcode.TEXT, "4a"), (Opcode.TEXT, "4b")]
    with pytest.raises(WebSocketError):
        next(messages)


@pytest.mark.parametrize(
    "frame",
    [
        frame_bytes(TEXT, b"4x", masked=False),
        frame_bytes(TEXT, b"4x", rsv=0b100),
        frame_bytes(TEXT, b"4x", rsv=0b010),
        frame_bytes(TEXT, b"4x", rsv=0b001),
        frame_bytes(3, b""),
        frame_bytes(11, b""),
        frame_bytes(PING, b"", fin=False),
        frame_bytes(PING, b"x" * 126),
        frame_bytes(CONTINUATION, b"x"),
        frame_bytes(TEXT, b"4a", fin=False) + frame_bytes(TEXT, b"4b"),
        frame_bytes(TEXT, b"4a", fin=False) + frame_bytes(BINARY, b"4b", fin=False),
    ],
    ids=itertools.count(),
)
def test_a_broken_frame_is_a_protocol_error(frame: bytes) -> None:
    """E-08"""
    assert fault(frame) is CloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize("text", [b"4\xff", b"4\xed\xa0\x80", b"4\xc3", b"4" + b"x" * 200 + b"\x80"])
def test_text_is_utf8(text: bytes) -> None:
    """E-08"""
    assert fault(frame_bytes(TEXT, text)) is CloseCode.INVALID_DATA
    assert fault(frame_bytes(TEXT, text[:1], fin=False), frame_bytes(CONTINUATION, text[1:])) is CloseCode.INVALID_DATA


def test_the_limit_counts_the_bytes_of_a_whole_message() -> None:
    """E-09"""
    assert read([frame_bytes(BINARY, b"x" * LIMIT)]) == [(Opcode.BINARY, b"x" * LIMIT)]
    assert fault(frame_bytes(BINARY, b"x" * (LIMIT + 1))) is CloseCode.MESSAGE_TOO_BIG
    assert fault(text_frame("ñ" * LIMIT)) is CloseCode.MESSAGE_TOO_BIG
    half = b"x" * (LIMIT // 2)
    halves = [frame_bytes(BINARY, half, fin=False), frame_bytes(CONTINUATION, half)]
    assert read(halves) == [(Opcode.BINARY, half * 2)]
    assert fault(halves[0], frame_bytes(CONTINUATION, half + b"x")) is CloseCode.MESSAGE_TOO_BIG
    assert fault(halves[0], frame_bytes(CONTINUATION, half, fin=False), frame_bytes(CONTINUATION, b"x")) is (
        CloseCode.MESSAGE_TOO_BIG
    )


def test_a_message_over_the_limit_is_refused_by_its_header() -> None:
    """E-09: before any payload is buffered"""
    assert fault(frame_bytes(BINARY, b"x" * (LIMIT + 1))[:4]) is CloseCode.MESSAGE_TOO_BIG
    assert fault(b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff") is CloseCode.MESSAGE_TOO_BIG


def test_a_control_frame_does_not_count_for_the_message_limit() -> None:
    """E-09"""
    full = frame_bytes(BINARY, b"x" * LIMIT, fin=False)
    messages = read([full, frame_bytes(PING, b"y" * 125), frame_bytes(CONTINUATION, b"")])
    assert messages == [(Opcode.PING, b"y" * 125), (Opcode.BINARY, b"x" * LIMIT)]


def test_fragments_are_counted() -> None:
    """E-09"""
    start, empty = frame_bytes(TEXT, b"", fin=False), frame_bytes(CONTINUATION, b"", fin=False)
    end = frame_bytes(CONTINUATION, b"")
    assert read([start, empty * (MAX_FRAGMENTS - 2), end]) == [(Opcode.TEXT, "")]
    assert fault(start, empty * (MAX_FRAGMENTS - 1)) is CloseCode.POLICY_VIOLATION


def test_nothing_is_kept_between_messages() -> None:
    reader = MessageReader(100_000)
    assert len(list(reader.feed(frame_bytes(BINARY, b"x" * 100_000)))) == 1
    assert reader._buffer.__alloc__() < 100
    assert reader._parser is None


def test_each_frame_without_a_complete_message_is_reported() -> None:
    """L-16: otherwise a read full of fragments would be one step"""
    frames = frame_bytes(TEXT, b"a", fin=False) + frame_bytes(0, b"", fin=False) * 3 + frame_bytes(0, b"b")
    assert list(MessageReader(LIMIT).feed(frames)) == [FRAGMENT] * 4 + [(TEXT, "ab")]
    halves = [frames[:3], frames[3:]]
    reader = MessageReader(LIMIT)
    assert [list(reader.feed(half)) for half in halves] == [[], [FRAGMENT] * 4 + [(TEXT, "ab")]]
