"""Bytes inside JSON: the text has placeholders, and the bytes follow as attachments. Pure. Rules S-10 to S-13.

https://github.com/socketio/socket.io-protocol#binary-event
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from chatd.base.errors import WireError

PLACEHOLDER: Final = "_placeholder"
NUMBER: Final = "num"

BYTES: Final = bytes | bytearray | memoryview

_ATOMS: Final = frozenset({str, int, bool, type(None)})


class AttachmentError(WireError):
    """A placeholder names no attachment of its packet."""


def has_binary(value: object) -> bool:
    """Whether `value` holds bytes at any depth. Raises ValueError for NaN and infinities, which JSON cannot hold.

    A msgspec.Struct is not searched: chatd's structs hold neither bytes nor NaN.
    """
    if type(value) in _ATOMS:
        return False
    if isinstance(value, dict | list | tuple):
        found = False
        for item in value.values() if isinstance(value, dict) else value:
            if type(item) not in _ATOMS and has_binary(item):
                found = True  # no return: a NaN may follow
        return found
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no JSON")
    return isinstance(value, BYTES)


def deconstruct(value: object, attachments: list[bytes]) -> object:
    """A copy of `value` with a placeholder for each bytes object, which is appended to `attachments`."""
    if isinstance(value, BYTES):
        attachments.append(bytes(value))
        return {PLACEHOLDER: True, NUMBER: len(attachments) - 1}
    if isinstance(value, dict):
        return {key: deconstruct(item, attachments) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [deconstruct(item, attachments) for item in value]
    return value


def reconstruct(value: object, attachments: Sequence[bytes]) -> object:
    """The inverse of `deconstruct`. Raises AttachmentError for a placeholder that names no attachment."""
    if isinstance(value, list):
        return [reconstruct(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(PLACEHOLDER) is not True:
        return {key: reconstruct(item, attachments) for key, item in value.items()}
    number = value.get(NUMBER)
    if type(number) is not int or not 0 <= number < len(attachments):
        raise AttachmentError(f"there is no attachment {number!r}")
    return attachments[number]
