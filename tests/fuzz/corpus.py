"""The kept inputs of each target: a bytes literal a line in corpus/TARGET.txt, so that a change to them can be read."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "corpus"


def load(target: str) -> list[bytes]:
    file = FOLDER / f"{target}.txt"
    return [ast.literal_eval(line) for line in file.read_text().splitlines()] if file.exists() else []


def save(target: str, inputs: Iterable[bytes]) -> None:
    """In the order of length, each once."""
    lines = [f"{one!r}\n" for one in sorted(set(inputs), key=lambda one: (len(one), one))]
    (FOLDER / f"{target}.txt").write_text("".join(lines))
