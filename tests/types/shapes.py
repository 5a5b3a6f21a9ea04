"""Parses payload shapes as protocol.md writes them: `{para, mensaje, cid?}`, `{list: [{user, desde}]}`. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Final

TOKEN: Final = re.compile(r"<[^>]*>|\.\.\.|[A-Za-z_][A-Za-z_0-9]*\??|[{}\[\]:,]|\S")


class ShapeError(ValueError):
    """A shape in another notation; the message quotes it."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """The fields of an object, each with its shape if protocol.md has one there."""

    fields: Mapping[str, Field]

    @property
    def names(self) -> set[str]:
        return set(self.fields)


@dataclasses.dataclass(frozen=True)
class Field:
    optional: bool = False
    inner: Shape | None = None
    is_list: bool = False
    values: bool = False
    """An object that maps names to numbers."""
    literal: str | None = None


def parse(text: str) -> Shape:
    """Raises ShapeError."""
    tokens = _Tokens(text)
    tokens.expect("{")
    return _object(tokens)


class _Tokens:
    def __init__(self, text: str) -> None:
        self._text = text
        self._all: Iterator[str] = iter(TOKEN.findall(text))
        self.next = next(self._all, "")

    def take(self) -> str:
        taken, self.next = self.next, next(self._all, "")
        return taken

    def expect(self, wanted: str) -> None:
        if self.take() != wanted:
            raise ShapeError(f"{self._text!r}: there is no {wanted} where one must be")


def _object(tokens: _Tokens) -> Shape:
    """Parse an object after its opening brace."""
    fields: dict[str, Field] = {}
    while tokens.next != "}":
        if tokens.next == "...":
            tokens.take()
        else:
            name = tokens.take()
            field = _value(tokens) if tokens.next == ":" else Field()
            fields[name.rstrip("?")] = dataclasses.replace(field, optional=name.endswith("?"))
        if tokens.next == ",":
            tokens.take()
        elif tokens.next != "}":
            tokens.expect("}")
    tokens.take()
    return Shape(fields)


def _value(tokens: _Tokens) -> Field:
    tokens.expect(":")
    if tokens.next == "[":
        tokens.take()
        tokens.expect("{")
        inner = _object(tokens)
        tokens.expect("]")
        return Field(inner=inner, is_list=True)
    if tokens.next == "{":
        tokens.take()
        if tokens.next.startswith("<"):
            while tokens.take() not in {"}", ""}:
                pass
            return Field(values=True)
        return Field(inner=_object(tokens))
    return Field(literal=tokens.take())
