from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.base.errors import ConfigError
from chatd.settings.options import Option, options_of
from chatd.settings.setting import setting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One setting of every type."""

    text: str = setting("a", "a text")
    size_bytes: int = setting(10, "a size", minimum=1, maximum=1_000_000)
    wait_s: float = setting(2.5, "a time", minimum=0.5)
    delay_ms: int = setting(1, "a delay", maximum=9)
    length_chars: int = setting(1, "a length")
    active: bool = setting(True, "a switch")
    level: str = setting("low", "a level", choices=("low", "high"))
    file: Path | None = setting(None, "a file")  # noqa: RUF009 - as in the parts themselves
    origin: tuple[str, ...] = setting((), "origins")
    ports: tuple[int, ...] = setting((), "ports", minimum=1)
    password: str | None = setting(None, "a secret", minimum=None, secret=True)
    inner: int = 7


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Impossible:
    """A setting of a type that cannot be parsed from text."""

    table: dict[str, str] | None = setting(None, "a table")  # noqa: RUF009


OPTIONS = {option.name: option for option in options_of({"sample": Sample})}


def test_every_declared_field_is_a_setting_with_a_derived_name() -> None:
    assert [(option.name, option.flag, option.variable, option.metavar) for option in OPTIONS.values()] == [
        ("text", "--text", "CHATD_TEXT", "TEXT"),
        ("size", "--size", "CHATD_SIZE", "BYTES"),
        ("wait", "--wait", "CHATD_WAIT", "SECONDS"),
        ("delay", "--delay", "CHATD_DELAY", "MILLISECONDS"),
        ("length", "--length", "CHATD_LENGTH", "CHARACTERS"),
        ("active", "--active", "CHATD_ACTIVE", "TEXT"),
        ("level", "--level", "CHATD_LEVEL", "TEXT"),
        ("file", "--file", "CHATD_FILE", "FILE"),
        ("origin", "--origin", "CHATD_ORIGIN", "TEXT"),
        ("ports", "--ports", "CHATD_PORTS", "N"),
        ("password", None, "CHATD_PASSWORD", "TEXT"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", " a b ", " a b "),
        ("size", "1", 1),
        ("size", "1_000_000", 1_000_000),
        ("wait", "0.5", 0.5),
        ("wait", "3", 3.0),
        ("delay", "-4", -4),
        ("active", "on", True),
        ("active", "TRUE", True),
        ("active", "0", False),
        ("active", "No", False),
        ("level", "high", "high"),
        ("file", "a/b", Path("a/b")),
        ("ports", "1", 1),
    ],
)
def test_a_text_becomes_a_value_of_the_declared_type(name: str, text: str, value: object) -> None:
    parsed = OPTIONS[name].parse(text, "here")
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("text", "", "a text that is not empty"),
        ("size", "0", "a whole number from 1 to 1000000"),
        ("size", "1000001", "a whole number from 1 to 1000000"),
        ("size", "1.5", "a whole number from 1 to 1000000"),
        ("size", "", "a whole number from 1 to 1000000"),
        ("size", "9" * 5000, "a whole number from 1 to 1000000"),
        ("wait", "0.4", "a number of at least 0.5"),
        ("wait", "nan", "a number of at least 0.5"),
        ("wait", "inf", "a number of at least 0.5"),
        ("wait", "2s", "a number of at least 0.5"),
        ("delay", "10", "a whole number of at most 9"),
        ("length", "x", "a whole number"),
        ("active", "maybe", "true or false"),
        ("level", "High", "one of low, high"),
        ("file", "", "a path"),
        ("ports", "0", "a whole number of at least 1"),
    ],
)
def test_an_unparsable_text_is_refused_with_name_source_and_range(name: str, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        OPTIONS[name].parse(text, "CHATD_SOMEWHERE")
    assert str(caught.value) == f"{name}: {text!r} from CHATD_SOMEWHERE is not {expected}"


def test_an_error_does_not_repeat_a_secret() -> None:
    secret = Option(
        "sample", "password", str, False, None, dataclasses.replace(OPTIONS["password"].about, choices=("a",))
    )
    with pytest.raises(ConfigError, match="the value from CHATD_PASSWORD is not"):
        secret.parse("hush", "CHATD_PASSWORD")


def test_a_type_that_cannot_be_parsed_fails_at_declaration() -> None:
    with pytest.raises(TypeError, match=r"Impossible\.table"):
        options_of({"impossible": Impossible})


@given(text=st.text(), option=st.sampled_from(list(OPTIONS.values())))
def test_any_text_parses_or_raises_a_config_error(text: str, option: Option) -> None:
    with contextlib.suppress(ConfigError):
        value: Any = option.parse(text, "here")
        assert isinstance(value, option.kind)
