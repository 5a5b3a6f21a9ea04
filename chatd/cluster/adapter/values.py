"""Converts msgpack values that JSON cannot hold, as JavaScript's JSON.stringify does. Rule N-34."""

from __future__ import annotations

import dataclasses
import datetime
import math
from typing import Final

from chatd.cluster.adapter.faults import Fault, ForeignError

_PLACEHOLDER: Final = "_placeholder"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits of one event, the same as for events of clients."""

    max_bytes: int
    max_depth: int
    max_attachments: int
    max_containers: int
    max_values: int


class Cleaner:
    """Converts the arguments of one event; the limits count over all of them."""

    __slots__ = ("_attachments", "_bounds", "_containers", "_values")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._attachments = 0
        self._containers = 0
        self._values = 0

    def clean(self, value: object, depth: int = 1) -> object:
        """`value` with dates as strings and null for NaN and infinities; bytes stay. Raises ForeignError."""
        self._values += 1
        if self._values > self._bounds.max_values:
            raise ForeignError(Fault.CONTAINERS, f"it has more than {self._bounds.max_values} values")
        match value:
            case None | bool() | int() | str():
                return value
            case float():
                return value if math.isfinite(value) else None
            case list() | dict():
                return self._inside(value, depth)
            case bytes():
                return self._attach(value)
            case datetime.datetime():
                return _iso(value)
        raise ForeignError(Fault.UNREADABLE, "an extension of msgpack that is no date")

    def _inside(self, value: list[object] | dict[object, object], depth: int) -> object:
        self._containers += 1
        if self._containers > self._bounds.max_containers:
            raise ForeignError(Fault.CONTAINERS, f"it has more than {self._bounds.max_containers} arrays and objects")
        if depth > self._bounds.max_depth:
            raise ForeignError(Fault.MAX_DEPTH, f"it nests deeper than {self._bounds.max_depth}")
        if isinstance(value, list):
            return [self.clean(item, depth + 1) for item in value]
        if value.get(_PLACEHOLDER) is True:
            raise ForeignError(Fault.EVENT, "an object that clients take for bytes")
        return {_key(key): self.clean(item, depth + 1) for key, item in value.items()}

    def _attach(self, value: bytes) -> bytes:
        self._attachments += 1
        if self._attachments > self._bounds.max_attachments:
            raise ForeignError(Fault.MAX_ATTACHMENTS, f"it has more than {self._bounds.max_attachments} attachments")
        return value


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ForeignError(Fault.UNREADABLE, "a key that is no text")
    return key


def _iso(moment: datetime.datetime) -> str:
    """As Date.prototype.toISOString. isoformat always writes a year in four digits, strftime may not."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
