"""Placeholders and attachments for bytes inside JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.base.errors import WireError
from chatd.socketio.binary import AttachmentError, deconstruct, has_binary, reconstruct
from tests.socketio.values import JSON, JSON_WITH_BYTES

FIRST = {"_placeholder": True, "num": 0}
SECOND = {"_placeholder": True, "num": 1}


@pytest.mark.parametrize(
    ("value", "text", "attachments"),
    [
        (b"a", FIRST, [b"a"]),
        (bytearray(b"a"), FIRST, [b"a"]),
        (memoryview(b"a"), FIRST, [b"a"]),
        ([b"a", {"x": (b"b", 1)}], [FIRST, {"x": [SECOND, 1]}], [b"a", b"b"]),
        ([b"a", b"a"], [FIRST, SECOND], [b"a", b"a"]),
        ({"a": "b"}, {"a": "b"}, []),
        (b"", FIRST, [b""]),
    ],
)
def test_each_bytes_object_becomes_a_placeholder(value: object, text: object, attachments: list[bytes]) -> None:
    """S-10"""
    found: list[bytes] = []
    assert has_binary(value) is bool(attachments)
    assert deconstruct(value, found) == text
    assert found == attachments


def test_the_callers_value_is_not_changed() -> None:
    value = {"a": [b"a"]}
    deconstruct(value, [])
    assert value == {"a": [b"a"]}


@given(JSON_WITH_BYTES)
def test_a_value_comes_back_from_its_placeholders(value: object) -> None:
    attachments: list[bytes] = []
    text = deconstruct(value, attachments)
    assert not has_binary(text)
    assert bool(attachments) is has_binary(value)
    assert reconstruct(text, attachments) == value


@given(JSON)
def test_json_has_no_bytes(value: object) -> None:
    assert not has_binary(value)


def test_two_placeholders_may_name_one_attachment() -> None:
    """S-12"""
    assert reconstruct([FIRST, [FIRST]], [b"a"]) == [b"a", [b"a"]]


def test_an_attachment_may_have_no_placeholder() -> None:
    """S-12"""
    assert reconstruct([SECOND], [b"a", b"b"]) == [b"b"]


@pytest.mark.parametrize(
    "value",
    [
        {"_placeholder": False, "num": 0},
        {"_placeholder": 1, "num": 0},
        {"_placeholder": "true", "num": 0},
        {"_placeholder": None},
        {"placeholder": True, "num": 0},
        {"num": 0},
    ],
)
def test_only_true_makes_a_placeholder(value: object) -> None:
    """S-13"""
    assert reconstruct([value], [b"a"]) == [value]


@pytest.mark.parametrize(
    "number", [1, -1, 10**20, "0", "splice", "length", "__proto__", 0.0, 0.5, True, False, None, [0], {"num": 0}]
)
def test_a_placeholder_that_names_no_attachment_is_refused(number: object) -> None:
    """S-11"""
    with pytest.raises(AttachmentError):
        reconstruct([{"_placeholder": True, "num": number}], [b"a"])


def test_a_placeholder_without_a_number_is_refused() -> None:
    """S-11"""
    with pytest.raises(AttachmentError):
        reconstruct([{"_placeholder": True}], [b"a"])


def test_a_wrong_placeholder_is_a_wire_error() -> None:
    assert issubclass(AttachmentError, WireError)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_lacks_are_found_wherever_they_are(number: float) -> None:
    for value in (number, [number], {"a": [number]}, [b"", number], {"a": b"", "b": (1, number)}):
        with pytest.raises(ValueError, match="is no JSON"):
            has_binary(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_other_numbers_are_json(number: float) -> None:
    assert not has_binary([number])
