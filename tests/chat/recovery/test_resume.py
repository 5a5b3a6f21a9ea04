"""resume.py"""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.chat.messages.ids import parse_id
from chatd.chat.recovery.pid import Pids
from chatd.chat.recovery.resume import Resume, parse_resume
from chatd.store.base import MessageId

PIDS: Final = Pids(b"k" * 32)
PID: Final = PIDS.mint("abc", "ana")

SEVEN: Final = MessageId(7)


@pytest.mark.parametrize(
    ("auth", "with_pids", "without"),
    [
        ({}, None, None),
        ({"token": "x"}, None, None),
        ({"pid": PID, "offset": "7"}, Resume(SEVEN, "abc"), None),
        ({"pid": PID, "offset": "7", "desde": "8"}, Resume(SEVEN, "abc"), Resume(MessageId(8), None)),
        ({"pid": PID}, None, None),
        ({"pid": PID, "offset": 7}, None, None),
        ({"pid": PID, "offset": "Q85vUow"}, None, None),
        ({"pid": PIDS.mint("abc", "eva"), "offset": "7"}, None, None),
        ({"pid": 7, "offset": "7", "desde": "7"}, Resume(SEVEN, None), Resume(SEVEN, None)),
        ({"desde": "7"}, Resume(SEVEN, None), Resume(SEVEN, None)),
        ({"desde": None}, Resume(None, None), Resume(None, None)),
        ({"desde": 7}, Resume(None, None), Resume(None, None)),
        ({"desde": "-7"}, Resume(None, None), Resume(None, None)),
    ],
)
def test_the_position_in_the_auth_payload(
    auth: dict[str, Any], with_pids: Resume[MessageId] | None, without: Resume[MessageId] | None
) -> None:
    """C-32, C-34"""
    assert parse_resume(auth, "ana", PIDS, parse_id) == with_pids
    assert parse_resume(auth, "ana", None, parse_id) == without


@given(st.integers(0, 2**63 - 1))
def test_every_id_is_parsed(number: int) -> None:
    """C-30"""
    assert parse_id(str(number)) == number


@pytest.mark.parametrize("text", ["", " 7", "7 ", "7\n", "+7", "7.0", "٧", "1e3", str(2**63), "9" * 20, "0" * 20])
def test_an_invalid_id_is_refused(text: str) -> None:
    """C-30"""
    assert parse_id(text) is None
