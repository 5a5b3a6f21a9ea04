"""Encodes values between a test and driver.mjs that JSON lacks: bytes, and values that only JavaScript has.

`{"$bytes": base64}` is a Buffer in both directions; `{"$js": expression}` goes to the driver only, which evaluates it.
"""

from __future__ import annotations

import base64
import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Js:
    """A JavaScript expression: `Js("undefined")`, `Js("new Date(0)")`."""

    expression: str


def pack(value: Any) -> Any:
    """Encode a value for the driver."""
    match value:
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case Js():
            return {"$js": value.expression}
        case list() | tuple():
            return [pack(inner) for inner in value]
        case dict():
            return {key: pack(inner) for key, inner in value.items()}
        case _:
            return value


def unpack(value: Any) -> Any:
    """Decode a value from the driver."""
    match value:
        case {"$bytes": str(text)}:
            return base64.b64decode(text, validate=True)
        case list():
            return [unpack(inner) for inner in value]
        case dict():
            return {key: unpack(inner) for key, inner in value.items()}
        case _:
            return value
