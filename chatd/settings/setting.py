"""How a setting is declared: a dataclass field that carries its own help text and range.

The parts of the configuration (`engineio/config.py`, `chat/config.py`, ...) declare; daemon/config.py reads flags,
environment and file into them. A unit at the end of a field's name (`_s`, `_bytes`) is for the reader of the code and
is not part of the setting's public name: `ping_interval_s` is `--ping-interval`, `CHATD_PING_INTERVAL`, and
`ping_interval` in the file.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

METADATA_KEY: Final = "chatd.setting"


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """What an operator is told about a setting; `minimum` and `maximum` are inclusive.

    `live`: a running daemon takes a new value at SIGHUP.
    """

    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    live: bool = False


def setting(  # noqa: PLR0913 - the fields of Setting, by keyword
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
    live: bool = False,
) -> Any:
    """A dataclass field with its default and its documentation for operators."""
    described = Setting(help, minimum, maximum, choices, secret, live)
    return dataclasses.field(default=default, metadata={METADATA_KEY: described})
