"""The configuration file: TOML, a table for each part, a key for each setting; every value with the line it stands on.

    [listen]
    port = 8400

https://toml.io/en/v1.0.0 is read by tomllib, which tells no lines; they are found by reading statement after statement.
Names, types and ranges are those of options.py. daemon/config.py merges the file with flags and environment.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from chatd.base.errors import ConfigError
from chatd.settings.options import Option

MAX_BYTES: Final = 262_144

_PLACE: Final = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")

_CLOSING: Final = ("]", '"' * 3, "'" * 3)

LISTS: Final = frozenset({"webhook", "notify"})
"""Tables of which there may be several, written [[name]]."""

KeyPath = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says. With a problem, the rest holds all the same; but no daemon should start with it."""

    path: Path
    values: Mapping[str, object] = dataclasses.field(repr=False)
    """By public name."""
    origins: Mapping[str, str]
    """`FILE:LINE`, by public name."""
    lists: Mapping[str, list[tuple[Mapping[str, Any], str]]]
    """[[name]] tables, each with `FILE:LINE`."""
    problems: tuple[str, ...]
    """One sentence a problem, with file, line, key and valid values."""


def read_config_file(path: Path, options: Sequence[Option]) -> ConfigFile:
    """Read all of it. Raises ConfigError for a file that cannot be read or is no TOML."""
    text, public = _read(path)
    tables = _parse(text, path)
    reading = _Reading(path, options, locate(text), public)
    for table, content in tables.items():
        reading.take_table(table, content)
    return ConfigFile(path, reading.values, reading.origins, reading.lists, tuple(reading.problems))


def locate(text: str) -> dict[KeyPath, int]:
    """The line, from 1, on which each key and each table of a well-formed document begins."""
    lines: dict[KeyPath, int] = {}
    prefix: KeyPath = ()
    for line, statement, content in _statements(text):
        is_header = statement.lstrip().startswith("[")
        paths = list(_paths(content))
        if is_header:
            prefix = paths[-1]
            lines.setdefault(prefix, line)
        else:
            lines.update({prefix + path: line for path in paths})
    return lines


class _Reading:
    """One file on its way from tables to settings."""

    def __init__(self, path: Path, options: Sequence[Option], lines: Mapping[KeyPath, int], public: bool) -> None:
        self.values: dict[str, object] = {}
        self.origins: dict[str, str] = {}
        self.problems: list[str] = []
        self.lists: dict[str, list[tuple[Mapping[str, Any], str]]] = {}
        self._path = path
        self._lines = lines
        self._public = public
        self._options = {(option.part, option.name): option for option in options}

    def take_table(self, table: str, content: object) -> None:
        where = self._where((table,))
        parts = dict.fromkeys(part for part, _ in self._options)
        if table in LISTS and isinstance(content, list) and all(isinstance(one, dict) for one in content):
            self.lists[table] = [(one, where) for one in content]
        elif not isinstance(content, dict):
            self.problems.append(f"{where}: {self._stray(table, parts)}")
        elif table not in parts:
            self.problems.append(f"{where}: there is no table [{table}]{_near(table, parts, '[{}]')}")
        else:
            for key, value in content.items():
                self._take(table, key, value)

    def _take(self, table: str, key: str, value: object) -> None:
        where = self._where((table, key))
        option = self._options.get((table, key))
        if option is None:
            self.problems.append(f"{where}: there is no setting {key} in [{table}]{self._advice(table, key)}")
        elif option.about.secret and self._public:
            self.problems.append(
                f"{where}: {key} is a secret, and everybody can read this file: chmod 640, or name a file of its own"
            )
        else:
            try:
                self.values[key] = option.take(value, where)
                self.origins[key] = where
            except ConfigError as error:
                self.problems.append(str(error))

    def _advice(self, table: str, key: str) -> str:
        elsewhere = [part for part, name in self._options if name == key]
        if elsewhere:
            return f"; it belongs to [{elsewhere[0]}]"
        mine = [name for part, name in self._options if part == table]
        return (
            _near(key, mine) or _near(key, {name: None for _, name in self._options}) or "; see chatd config --default"
        )

    def _stray(self, key: str, parts: Mapping[str, None]) -> str:
        """A value where only tables may be."""
        if key in parts:
            return f"[{key}] is a table: write its settings below a line [{key}]"
        owners = [part for part, name in self._options if name == key]
        if owners:
            return f"{key} belongs to a table: write it below a line [{owners[0]}]"
        return f"there is no setting {key}{_near(key, self._names())}"

    def _names(self) -> list[str]:
        return [name for _, name in self._options]

    def _where(self, path: KeyPath) -> str:
        return f"{self._path}:{self._lines.get(path) or self._lines.get(path[:1], 1)}"


def _near(name: str, known: Mapping[str, None] | Sequence[str], shown: str = "{}") -> str:
    import difflib  # noqa: PLC0415 - needed only on the way out

    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {shown.format(near[0])}?" if near else ""


def _read(path: Path) -> tuple[str, bool]:
    """The text, and whether all users of the machine could read it."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
            public = bool(path.stat().st_mode & 0o004)
    except OSError as error:
        raise ConfigError(f"config: cannot read {path}: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"config: {path} is larger than {MAX_BYTES} bytes: the wrong file?")
    try:
        return raw.decode("utf-8-sig"), public
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: this is no text in UTF-8") from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - 0.4 MB, loaded only when used

    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one, and so is that of a number with too many digits
        place = _PLACE.search(str(error))
        line = place["line"] if place is not None and place["line"] else text.count("\n") + 1
        column = f" (column {place['column']})" if place is not None and place["column"] else ""
        words = str(error)[: place.start()] if place is not None else str(error)
        raise ConfigError(f"{path}:{line}: this is no TOML: {words}{column}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}:1: this is no TOML: arrays are nested too deeply") from error


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Line, text and content of each statement. One ends with the first line with which it can be read alone.

    Of several lines, only one that closes something can be the last: to try them all, an array of 2,000 took 9 s.
    """
    import tomllib  # noqa: PLC0415 - see _parse

    begin, pending = 1, ""
    for number, line in enumerate(text.split("\n"), start=1):
        goes_on, pending = bool(pending), pending + line + "\n"
        if goes_on and not any(mark in line for mark in _CLOSING):
            continue
        try:
            content = tomllib.loads(pending)
        except ValueError:
            continue
        if content:
            yield begin, pending, content
        begin, pending = number + 1, ""


def _paths(content: object) -> Iterator[KeyPath]:
    """Every key in there, from the outside inwards."""
    if isinstance(content, list):  # [[of tables]]
        for one in content:
            yield from _paths(one)
    elif isinstance(content, dict):
        for key, value in content.items():
            yield (key,)
            yield from ((key, *path) for path in _paths(value))
