"""Tables that the configuration file may have several of, each with a name: `[[webhook]]` and `[[notify]]`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

from chatd.base.errors import ConfigError

_NAME: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


One = TypeVar("One", bound=_Named)


def read_tables(
    kind: str, of: type[One], most: int, tables: Sequence[Mapping[str, Any]], wheres: Sequence[str]
) -> tuple[One, ...]:
    """All tables of a `kind` as objects `of` that class; `wheres` says of each where it stands. Raises ConfigError."""
    if len(tables) > most:
        raise ConfigError(f"{wheres[most]}: more than {most} tables [[{kind}]]")
    found: dict[str, One] = {}
    for table, where in zip(tables, wheres, strict=True):
        try:
            one = msgspec.convert(table, of)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{where}: [[{kind}]]: {error}") from error
        if not _NAME.fullmatch(one.name):
            raise ConfigError(f"{where}: [[{kind}]]: name has 1 to 64 letters, digits or any of . _ -")
        if one.name in found:
            raise ConfigError(f"{where}: there are two [[{kind}]] called {one.name}")
        found[one.name] = one
    return tuple(found.values())
