"""One target under atheris: `python -m tests.fuzz.guided TARGET [libFuzzer's own arguments]`."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main() -> None:
    atheris: Any = importlib.import_module("atheris")  # only installed with the extra `fuzz`
    with atheris.instrument_imports(include=["chatd", "h11", "websockets"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - atheris instruments what is imported in this block

    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
