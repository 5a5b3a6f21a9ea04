"""A progress bar on stderr if that is a terminal; otherwise a line at intervals."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self, TextIO

WIDTH: Final = 30

LINE_EVERY_S: Final = 10.0

# The bar is drawn after this time, so that short work draws none.
EVERY_S: Final = 0.2

_ERASE: Final = "\r\033[K"


class Progress:
    """`with Progress("copying") as bar: bar.show(0.5)`. The bar is gone at the end."""

    def __init__(self, title: str, stream: TextIO | None = None, line_every_s: float = LINE_EVERY_S) -> None:
        self._title = title
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream.isatty()
        self._every_s = EVERY_S if self._is_terminal else line_every_s
        self._next_s = time.monotonic() + self._every_s
        self._drawn = False

    def show(self, done: float) -> None:
        """`done` is from 0 to 1."""
        if time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + self._every_s
        share = min(max(done, 0.0), 1.0)
        if not self._is_terminal:
            self._write(f"{self._title}: {share:.0%}\n")
        else:
            self._drawn = True
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
