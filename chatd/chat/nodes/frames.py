"""What nodes say to each other besides messages, and how it is read. Pure.

    Aside 3, Back 5         asides.py
    Here 10                 people.py
    State 11                states.py
    Question 12, Answer 13  questions.py

The first element of a frame is its kind; 1 and 2 are those of chatd/cluster/core/frame.py. A kind that is not known is
one of a newer chatd: it is ignored, so that nodes of two versions may run side by side (N-23).
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from chatd.chat.nodes.asides import Aside, Back
from chatd.chat.nodes.people import Here
from chatd.chat.nodes.questions import Answer, Question
from chatd.chat.nodes.states import State
from chatd.cluster.core.frame import FrameError

Frame = Aside | Back | Here | State | Question | Answer

_DECODER: Final[msgspec.msgpack.Decoder[Frame]] = msgspec.msgpack.Decoder(Frame)
_CORE: Final = frozenset({1, 2})
_OURS: Final = frozenset({3, 5, 10, 11, 12, 13})
_GREATEST_TAG: Final = 127
"""The first byte of larger numbers, and of what is no number, is larger."""


class Kind(enum.Enum):
    """Which part of chatd a frame is for."""

    CORE = "core"
    OURS = "ours"
    NEWER = "newer"


def kind_of(data: bytes) -> Kind:
    """What has no kind is for the core, which refuses it."""
    tag = data[1] if len(data) > 1 else -1
    if tag in _OURS:
        return Kind.OURS
    is_array = data[:1] and data[0] >> 4 == 0x9
    return Kind.NEWER if is_array and 0 <= tag <= _GREATEST_TAG and tag not in _CORE else Kind.CORE


def decode(data: bytes) -> Frame:
    """Raises FrameError, and nothing else."""
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(f"no frame: {error}") from error
