"""Validation of client events, as pure values; over real sockets in test_answers.py."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.base.errors import RefusedError
from chatd.chat.events import MAX_USER_CHARS, EventCode, PrivateMessage

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    para=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=MAX_USER_CHARS),
    mensaje=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    more=st.dictionaries(st.text().filter(lambda key: key != "cid"), json_values, max_size=2),
)
def test_any_two_valid_texts_are_a_message(para: str, mensaje: str, more: dict[str, object]) -> None:
    """C-10, C-11, C-12: no character is changed."""
    message = PrivateMessage.parse([{**more, "para": para, "mensaje": mensaje}, *more], max_chars=1_000)
    assert message == PrivateMessage(para, mensaje)


@given(
    st.lists(
        json_values
        | st.fixed_dictionaries({"para": json_values, "mensaje": json_values}, optional={"cid": json_values})
    )
)
def test_any_arguments_are_a_message_or_refused_with_a_code(args: list[object]) -> None:
    """C-10, C-13"""
    with contextlib.suppress(RefusedError):
        message = PrivateMessage.parse(args, max_chars=10)
        assert message.para.encode()
        assert message.cid is None or 0 < len(message.cid.encode("utf-32-le")) <= 256
        assert 0 < len(message.mensaje.encode("utf-32-le")) <= 40


@pytest.mark.parametrize(
    ("para", "mensaje"), [("x" * 128, "y" * 10), ("\U0010ffff" * 128, "\U0010ffff" * 10), ("\x00", "\x00")]
)
def test_a_message_at_its_limits(para: str, mensaje: str) -> None:
    """C-11, C-12"""
    assert PrivateMessage.parse([{"para": para, "mensaje": mensaje}], max_chars=10) == PrivateMessage(para, mensaje)


@pytest.mark.parametrize(
    ("para", "mensaje", "code"),
    [
        ("x" * 129, "y", EventCode.PARA_INVALID),
        ("\ud800", "y", EventCode.PARA_INVALID),
        ("x\ude00", "y", EventCode.PARA_INVALID),
        ("", "", EventCode.PARA_INVALID),
        (b"x", "y", EventCode.PARA_INVALID),
        ("x", "", EventCode.MENSAJE_INVALID),
        ("x", "\ude00\ud83d", EventCode.MENSAJE_INVALID),
        ("x", b"y", EventCode.MENSAJE_INVALID),
        ("x", True, EventCode.MENSAJE_INVALID),
        ("x", "y" * 11, EventCode.MENSAJE_TOO_LONG),
        ("x", "\ud83d" * 11, EventCode.MENSAJE_TOO_LONG),
    ],
)
def test_a_message_over_its_limits_is_refused(para: object, mensaje: object, code: EventCode) -> None:
    """C-11, C-12, C-13"""
    with pytest.raises(RefusedError) as refused:
        PrivateMessage.parse([{"para": para, "mensaje": mensaje}], max_chars=10)
    assert refused.value.code == code
    assert refused.value.message.isascii()
