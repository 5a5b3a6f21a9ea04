from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.cluster.core.frame import MAX_ITEMS, Call, Codec, FrameError, News
from tests.cluster.core.said import Said, at, news

MAX_BYTES = 200_000
CODEC = Codec(Said, MAX_BYTES)


def packed(*values: Any) -> bytes:
    return msgspec.msgpack.encode(values)


@pytest.mark.parametrize("frame", [news(3, 4, 5), news(3), news(3, last=9, settled=2), Call(1023)])
def test_a_frame_reads_back_as_it_was_written(frame: News[Said] | Call) -> None:
    assert CODEC.decode(CODEC.encode(frame)) == frame


def test_the_encoding_of_frames() -> None:
    assert CODEC.encode(Call(7)) == packed(2, 7)
    assert CODEC.encode(news(3, 4, last=6, settled=5, epoch=2)) == packed(
        1, 1, at(2), at(3), at(6), at(5), [[at(4), "ana"]]
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        packed(3, 7),
        packed(2, 1024),
        packed(2, -1),
        packed(2, True),
        packed(2, "7"),
        packed(2, 7, 7),
        packed(2, 2**64 - 1),
        packed(1, 1, at(2), at(3), at(6), at(5)),
        packed(1, 1, at(2), at(3), at(6), at(5), [[at(4)], [at(5), 5]]),
        packed(1, 1, at(2), at(3), at(6), at(5), [[at(4), "ana", "more"]]),
        packed(1, 1, at(2), at(3), at(6), 2**63, []),
        b"\x91" * 10_000,
        b"\x92\x01\xa1\xff",
        packed(2, 7) + b"\x00",
        b"\xdd\xff\xff\xff\xff",
    ],
)
def test_bytes_of_another_shape_are_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        CODEC.decode(data)


def contradictory() -> dict[str, News[Said]]:
    return {
        "a message before its predecessor": news(5, 4),
        "messages in disorder": news(3, 6, 5),
        "a message twice": news(3, 5, 5),
        "a last before the messages": news(3, 4, 5, last=4),
        "a last before the predecessor": news(3, last=2, settled=2),
        "a predecessor before the epoch": news(3, 4, epoch=4),
        "settled before the epoch": news(5, epoch=4, settled=3),
        "settled beyond the last": news(5, settled=6),
        "a message of another": News(1, at(0), at(3), at(5), at(5), [Said(at(4, origin=2))]),
        "an epoch of another": News(2, at(0), at(3, 2), at(5, 2), at(5, 2), []),
        "a last of another": News(1, at(0), at(3), at(5, 2), at(5), []),
    }


@pytest.mark.parametrize("what", contradictory())
def test_a_frame_that_contradicts_itself_is_refused(what: str) -> None:
    with pytest.raises(FrameError):
        CODEC.decode(CODEC.encode(contradictory()[what]))


def test_the_bytes_and_the_messages_of_a_frame_are_bounded() -> None:
    with pytest.raises(FrameError, match="bytes"):
        CODEC.decode(bytes(MAX_BYTES + 1))
    most = news(0, *range(1, MAX_ITEMS + 1))
    assert CODEC.decode(CODEC.encode(most)) == most
    with pytest.raises(FrameError):
        CODEC.decode(CODEC.encode(news(0, *range(1, MAX_ITEMS + 2))))


def packable(values: Any) -> bytes:
    try:
        return msgspec.msgpack.encode(values)
    except OverflowError:
        return b""


@given(st.binary() | st.lists(st.integers() | st.lists(st.integers())).map(packable))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        CODEC.decode(data)
