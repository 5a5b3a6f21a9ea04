from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.chat.nodes.asides import Aside, Back
from chatd.chat.nodes.frames import Frame, Kind, decode, kind_of
from chatd.chat.nodes.people import Here, Of
from chatd.chat.nodes.questions import Answer, Question
from chatd.chat.nodes.states import Phase, State
from chatd.cluster.core.frame import Call, FrameError

FRAMES: list[Frame] = [
    Aside(1, "leido", [{"con": "ana", "hasta": "7"}], ("user:ana",)),
    Back(2, "ana", "abc"),
    Here(3, 7, True, False, {"ana": Of(2, False), "root": Of(0, False)}),
    State(4, "1.0", Phase.READY, 60, 3, 2, 0, "vAA"),
    Question(5, 1, "kick", "ana"),
    Answer(6, 5, 1, 0, True, [{"sessions": 2}]),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_reads_back_as_it_was_written(frame: Frame) -> None:
    data = msgspec.msgpack.encode(frame)
    assert kind_of(data) is Kind.OURS
    assert decode(data) == frame


def test_an_unknown_kind_is_of_a_newer_version() -> None:
    """N-23"""
    for tag in (4, 14, 99, 127):
        assert kind_of(msgspec.msgpack.encode([tag, 1, "and more"])) is Kind.NEWER
    assert kind_of(msgspec.msgpack.encode(Call(1))) is Kind.CORE


@pytest.mark.parametrize("value", ["text", {}, [], 7, None, ["who"], [-1], [128], {14: 1}])
def test_a_frame_without_a_kind_is_refused_by_the_core(value: object) -> None:
    assert kind_of(msgspec.msgpack.encode(value)) is Kind.CORE


@given(st.binary(max_size=64) | st.sampled_from(FRAMES).map(msgspec.msgpack.encode).map(lambda data: data[:-1]))
def test_any_bytes_are_decoded_or_refused_with_their_kind(data: bytes) -> None:
    assert kind_of(data) in Kind
    with contextlib.suppress(FrameError):
        decode(data)
