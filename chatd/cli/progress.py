"""A bar for work that takes a while, on stderr where that is a terminal; nothing anywhere else."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self, TextIO

WIDTH: Final = 30

# The first is drawn after this long, so that short work draws none.
EVERY_S: Final = 0.2

_ERASE: Final = "\r\033[K"


class Progress:
    """`with Progress("copying") as bar: bar.show(0.5)`. The bar is gone at the end."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title = title
        self._stream = sys.stderr if stream is None else stream
        self._wanted = self._stream.isatty()
        self._next_s = time.monotonic() + EVERY_S
        self._drawn = False

    def show(self, done: float) -> None:
        """`done` is from 0 to 1."""
        if self._wanted and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + EVERY_S
            self._drawn = True
            share = min(max(done, 0.0), 1.0)
            full = round(WIDTH * share)
            self._write(f"{_ERASE}{self._title} [{'#' * full}{'.' * (WIDTH - full)}] {share:4.0%}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._write(_ERASE)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
