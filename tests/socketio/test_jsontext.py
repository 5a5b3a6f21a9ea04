"""JSON as JavaScript reads and writes it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.socketio.jsontext import (
    MAX_CONTAINERS,
    MAX_VALUES,
    TooDeepError,
    TooManyError,
    _containers,
    format_json,
    parse_json,
    parsed_bytes,
)
from tests.socketio.values import JSON, JSON_OF_JAVASCRIPT

DEPTH = 64

VALUES = [
    ("null", None),
    ("true", True),
    ("false", False),
    ("0", 0),
    ("-0.5", -0.5),
    ("1e3", 1000.0),
    ("100000000000000000000", 10**20),
    ('"\u20ac \\u20ac \\ud83d\\ude00 \U0001f600"', "€ € 😀 😀"),
    ('"\\u0000\\n\\/"', "\x00\n/"),
    ("[]", []),
    (" [ 1 ,\t{ } ]\r\n", [1, {}]),
    ('{"a":1,"a":2}', {"a": 2}),
    ('{"__proto__":{"x":1}}', {"__proto__": {"x": 1}}),
    ('"\\ud83d"', "\ud83d"),
    ('["\\udc00\\ud800",1.5]', ["\udc00\ud800", 1.5]),
    ('{"\\ud83d":"\\ud83d\\ude00"}', {"\ud83d": "😀"}),
]

NO_JSON = [
    "",
    " ",
    "nul",
    "NaN",
    "Infinity",
    "-Infinity",
    "'a'",
    "01",
    "1.",
    ".5",
    "+1",
    "0x1",
    "1e400",
    "-1e400",
    "1" * 5000,
    "[",
    "[1,]",
    "[1]]",
    "[1] x",
    '{"a"}',
    "{a:1}",
    '{"a":1,}',
    '"a',
    '"\x01"',
    '"\n"',
    '"\\x41"',
    '"\\u12"',
    "\ufeff1",
    "[1]\x00",
    "/* */ 1",
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_text_has_the_value_that_javascript_reads(text: str, value: object) -> None:
    """S-07"""
    assert parse_json(text, DEPTH) == value


@pytest.mark.parametrize("text", NO_JSON)
def test_what_javascript_refuses_is_refused(text: str) -> None:
    """S-07"""
    with pytest.raises(ValueError, match=r"\S"):
        parse_json(text, DEPTH)


@pytest.mark.parametrize("text", NO_JSON)
def test_it_is_refused_in_texts_with_a_lone_surrogate_too(text: str) -> None:
    """Texts with a lone surrogate take another decoder, which must be as strict."""
    with pytest.raises(ValueError, match=r"\S"):
        parse_json(f'["\\ud800",{text}]', DEPTH)


@pytest.mark.parametrize(
    ("value", "text"), [([], "[]"), ((), "[]"), ({"a": [1, "ñ"]}, '{"a":[1,"ñ"]}'), ("\ud83d", r'"\ud83d"')]
)
def test_a_value_is_written_without_spaces(value: object, text: str) -> None:
    assert format_json(value) == text.encode()


@pytest.mark.parametrize("value", [object(), {"a": print}, [1j], ["\ud800", object()]])
def test_values_that_json_lacks_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        format_json(value)


class Row(msgspec.Struct):
    name: str
    inner: object


@pytest.mark.parametrize(("name", "written"), [("ñ", "ñ"), ("\ud83d", r"\ud83d")])
def test_a_struct_is_written_as_an_object(name: str, written: str) -> None:
    row = Row(name, [Row("b", None)])
    assert format_json(row).decode() == f'{{"name":"{written}","inner":[{{"name":"b","inner":null}}]}}'


def test_numbers_that_json_lacks_are_refused_beside_a_lone_surrogate() -> None:
    """msgspec would encode null; therefore callers check numbers first."""
    with pytest.raises(ValueError, match="JSON compliant"):
        format_json(["\ud800", float("nan")])


@given(JSON_OF_JAVASCRIPT)
def test_a_value_reads_back_as_it_was_written(value: object) -> None:
    assert parse_json(format_json(value).decode(), DEPTH) == value


@given(JSON)
def test_the_standard_library_reads_the_same(value: object) -> None:
    text = json.dumps(value)
    assert parse_json(text, DEPTH) == json.loads(text)


@given(st.text())
def test_any_text_has_a_value_or_raises_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_json(text, DEPTH)


@given(st.text('[]{}":,\\ud80c1eE+-.0NaN "'))
def test_anything_that_looks_like_json_has_a_value_or_raises_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_json(text, DEPTH)


@pytest.mark.parametrize("half", ["", r"\ud800"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_nesting_is_allowed_up_to_the_limit(opening: str, closing: str, half: str) -> None:
    """S-08"""
    step = opening.count("[") + opening.count("{")

    def nested(levels: int) -> str:
        return opening * (levels // step) + f'"{half}"' + closing * (levels // step)

    parse_json(nested(DEPTH), DEPTH)
    for levels in (DEPTH + step, 900, 3_000, MAX_CONTAINERS):
        with pytest.raises(TooDeepError):
            parse_json(nested(levels), DEPTH)
    with pytest.raises(TooManyError):
        parse_json(nested(200_000), DEPTH)


@pytest.mark.parametrize("max_depth", [4, 64, 256])
def test_deep_nesting_beside_a_lone_surrogate_never_exhausts_the_stack(max_depth: int) -> None:
    for levels in range(max_depth + 1, 20 * max_depth, 50):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse_json("[" * levels + r'"\ud800"' + "]" * levels, max_depth)


def test_brackets_inside_strings_do_not_count_as_nesting() -> None:
    text = json.dumps(["[" * 1000, "{" * 1000])
    assert parse_json(text, 4) == ["[" * 1000, "{" * 1000]


def test_wide_values_do_not_count_as_deep() -> None:
    assert parse_json(f"[{'[],' * 1000}[]]", 4) == [[]] * 1001


@given(JSON)
def test_the_count_of_arrays_and_objects_ignores_strings(value: object) -> None:
    """S-08"""
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False), json.dumps([json.dumps(value)])):
        assert _containers(text) == len(list(containers_of(json.loads(text))))


def containers_of(value: object) -> Iterator[object]:
    inner: list[object] = []
    if isinstance(value, list | dict):
        yield value
        inner = list(value.values()) if isinstance(value, dict) else value
    for one in inner:
        yield from containers_of(one)


@pytest.mark.parametrize("one", ["[]", "{}", '{"a":[]}'])
def test_the_number_of_arrays_and_objects_is_limited(one: str) -> None:
    """S-08"""
    fit = (MAX_CONTAINERS - 1) // _containers(one)
    text = "[" + ",".join([one] * fit) + "]"
    assert parse_json(text, 4) == [json.loads(one)] * fit
    with pytest.raises(TooManyError):
        parse_json(text.replace("[", "[[],[],", 1), 4)


def test_brackets_in_a_long_string_do_not_count() -> None:
    assert parse_json(json.dumps(["[" * 2 * MAX_CONTAINERS, '\\"[']), 4) == ["[" * 2 * MAX_CONTAINERS, '\\"[']


@pytest.mark.parametrize("one", ["1", '"a"', "null"])
def test_the_number_of_values_is_limited(one: str) -> None:
    """S-08"""
    fit = "[" + ",".join([one] * MAX_VALUES) + "]"
    assert parse_json(fit, 4) == [json.loads(one)] * MAX_VALUES
    with pytest.raises(TooManyError):
        parse_json(fit.replace("[", "[0,", 1), 4)


def test_commas_in_a_long_string_do_not_count() -> None:
    assert parse_json(json.dumps(["," * 2 * MAX_VALUES, '\\",']), 4) == ["," * 2 * MAX_VALUES, '\\",']


def taken_bytes(value: object) -> int:
    """The memory of `value` with everything in it."""
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return sys.getsizeof(value) + sum(map(taken_bytes, inner))


@pytest.mark.parametrize(
    "text",
    [
        '["x",{"_placeholder":true,"num":0}]',
        json.dumps("x" * 1_000_000),
        json.dumps("x" * 1_000_000 + "\N{PACKAGE}", ensure_ascii=False),
        json.dumps([f"{number:x}" for number in range(MAX_VALUES - 1)]),
        json.dumps([{"a": number} for number in range(MAX_CONTAINERS - 1)]),
    ],
    ids=["an event", "a long text", "a wide text", "short texts", "objects"],
)
def test_the_memory_of_a_value_is_estimated_from_its_text(text: str) -> None:
    """L-12"""
    taken = taken_bytes(parse_json(text, DEPTH))
    assert taken / 3 < parsed_bytes(text) < taken * 2
