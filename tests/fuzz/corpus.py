"""The corpus of each target: one bytes literal a line in corpus/TARGET.txt, so that diffs are readable."""

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
    """Write the inputs sorted by length, without duplicates."""
    lines = [f"{one!r}\n" for one in sorted(set(inputs), key=lambda one: (len(one), one))]
    (FOLDER / f"{target}.txt").write_text("".join(lines))
