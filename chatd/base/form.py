"""How chatd is installed: pure Python, or with compiled modules (deploy/compiled.py)."""

from __future__ import annotations

from typing import Final

from chatd import __version__
from chatd.base import rates

IS_COMPILED: Final = not rates.__file__.endswith(".py")
FORM: Final = "compiled" if IS_COMPILED else "pure"
VERSION: Final = f"{__version__} (compiled)" if IS_COMPILED else __version__
"""For people: `chatd --version` and the table of the benchmarks."""
