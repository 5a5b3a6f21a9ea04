"""What an operator can set, read off the dataclasses that declare it with `setting()`.

One declaration gives the flag `--ping-interval`, the variable `CHATD_PING_INTERVAL`, the key `ping_interval` in the
file, the help text, and the check of whatever arrives by any of them. daemon/config.py merges the sources,
file.py reads the file, cli/arguments.py makes the flags.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from chatd.base.errors import ConfigError
from chatd.settings.setting import METADATA_KEY, Setting

VARIABLE_PREFIX: Final = "CHATD_"

# The end of a field's name that is no part of the setting's, and what stands for its values in --help.
_UNITS: Final = {"_s": "SECONDS", "_ms": "MILLISECONDS", "_days": "DAYS", "_bytes": "BYTES", "_chars": "CHARACTERS"}


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One setting as an operator meets it."""

    part: str
    """The field of Config that holds it."""
    field: str
    """The field of that part."""
    kind: type
    """str, int, float, bool or Path."""
    repeatable: bool
    """Takes a tuple of `kind`; a variable gives several with commas between them."""
    default: object
    about: Setting

    @property
    def name(self) -> str:
        """The public name: that of the field without its unit."""
        return self.field.removesuffix(self._unit)

    @property
    def flag(self) -> str | None:
        """None for a secret: all users of a machine can read the command lines of its processes."""
        return None if self.about.secret else "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return VARIABLE_PREFIX + self.name.upper()

    @property
    def metavar(self) -> str:
        """What stands for the value in --help."""
        return _UNITS.get(self._unit, "FILE" if self.kind is Path else "N" if self.kind in {int, float} else "TEXT")

    @property
    def expected(self) -> str:
        """What values are good, in words."""
        if self.about.choices:
            return f"one of {', '.join(self.about.choices)}"
        low, high = self.about.minimum, self.about.maximum
        if low is not None and high is not None:
            return f"{_KINDS[self.kind].words} from {_plain(low)} to {_plain(high)}"
        if low is not None:
            return f"{_KINDS[self.kind].words} of at least {_plain(low)}"
        if high is not None:
            return f"{_KINDS[self.kind].words} of at most {_plain(high)}"
        return _KINDS[self.kind].words

    @property
    def unit(self) -> str:
        """In words; nothing if values have none."""
        return _UNITS.get(self._unit, "").lower()

    @property
    def _unit(self) -> str:
        return next((unit for unit in _UNITS if self.field.endswith(unit)), "")

    def parse(self, text: str, source: str) -> Any:
        """The value that `text` stands for. Raises ConfigError, which names setting, source and range."""
        try:
            value = _KINDS[self.kind].parse(text)
        except ValueError as error:
            raise self._unusable(text, source) from error
        if not self._in_range(value):
            raise self._unusable(text, source)
        return value

    def take(self, value: object, source: str) -> Any:
        """The value that one of TOML stands for, several if the setting may be repeated. Raises as `parse`."""
        if not self.repeatable:
            return self._take_one(value, source)
        return tuple(self._take_one(one, source) for one in (value if isinstance(value, list) else [value]))

    def _take_one(self, value: object, source: str) -> Any:
        """Types count: a number in quotes is a text. A text is read as it would be elsewhere; so are numbers."""
        if value == "" == self.default:
            return value
        written = str if self.kind is Path else self.kind
        if type(value) is not written and not (written is float and type(value) is int):
            raise self._unusable(value, source)
        try:
            return self.parse(str(value), source)
        except ConfigError as error:
            raise self._unusable(value, source) from error

    def _in_range(self, value: Any) -> bool:
        about = self.about
        return (
            (not about.choices or value in about.choices)
            and (about.minimum is None or value >= about.minimum)
            and (about.maximum is None or value <= about.maximum)
        )

    def _unusable(self, value: object, source: str) -> ConfigError:
        shown = "the value" if self.about.secret else _as_written(value)
        return ConfigError(f"{self.name}: {shown} from {source} is not {self.expected}")


def options_of(parts: Mapping[str, type]) -> tuple[Option, ...]:
    """Every setting that the dataclasses declare, in order. `parts` maps a field of Config to its dataclass."""
    return tuple(option for part, cls in parts.items() for option in _options(part, cls))


def _declared(cls: type) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(cls) if METADATA_KEY in field.metadata]


def _options(part: str, cls: type) -> Iterator[Option]:
    hints = typing.get_type_hints(cls)  # once, since it evaluates the annotations of all fields
    for field in _declared(cls):
        kind, repeatable = _kind(hints[field.name])
        if kind not in _KINDS:
            raise TypeError(f"{cls.__name__}.{field.name}: a setting cannot be of type {kind}")
        yield Option(part, field.name, kind, repeatable, field.default, field.metadata[METADATA_KEY])


def _kind(hint: Any) -> tuple[Any, bool]:
    """The type of one value, and whether there may be several: of `T`, `T | None`, `tuple[T, ...]`."""
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        (hint,) = (one for one in typing.get_args(hint) if one is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], True
    return hint, False


def _text(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("neither infinite nor NaN")
    return value


def _switch(text: str) -> bool:
    value = _SWITCH.get(text.lower())
    if value is None:
        raise ValueError("neither on nor off")
    return value


def _path(text: str) -> Path:
    try:
        return Path(_text(text)).expanduser()
    except RuntimeError as error:  # `~user` that is unknown here
        raise ValueError("no home directory") from error


def _as_written(value: object) -> str:
    """As it stands in a file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return repr(value)


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


_SWITCH: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Kind:
    words: str
    parse: Callable[[str], object]


_KINDS: Final[Mapping[Any, _Kind]] = {
    str: _Kind("a text that is not empty", _text),
    int: _Kind("a whole number", int),
    float: _Kind("a number", _number),
    bool: _Kind("true or false", _switch),
    Path: _Kind("a path", _path),
}
