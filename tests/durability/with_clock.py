"""The daemon on a wall clock that a test can set: the arguments are those of `chatd`.

The variable CLOCK_OFFSET_FILE names a file with the number of seconds by which the clock is ahead (or behind, if
negative). It is read at the start, if it exists, and at SIGUSR1. The
monotonic clock is unchanged, as with `settimeofday`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

_time, _time_ns = time.time, time.time_ns
_file = Path(os.environ["CLOCK_OFFSET_FILE"])
_offset_s = 0


def set_clock(*_: object) -> None:
    global _offset_s  # noqa: PLW0603 - there is one wall clock
    _offset_s = int(_file.read_text())


def main() -> int:
    time.time = lambda: _time() + _offset_s
    time.time_ns = lambda: _time_ns() + _offset_s * 1_000_000_000
    signal.signal(signal.SIGUSR1, set_clock)
    if _file.exists():
        set_clock()
    from chatd.cli import main as chatd  # noqa: PLC0415 - after the clock, of which it keeps hold

    return chatd()


if __name__ == "__main__":
    sys.exit(main())
