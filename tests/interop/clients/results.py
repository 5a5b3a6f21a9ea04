"""Results of the clients: results.json, and README.md's table made from it.

`make interop` writes the file with the clients that passed in that run only.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("results.json")


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """`ran`: for each choice of transports, the steps that passed, in order."""

    name: str
    client: str
    version: str
    runtime: str
    ran: Mapping[str, list[str]]


def read() -> list[Result]:
    return [Result(**entry) for entry in json.loads(FILE.read_text(encoding="utf-8"))]


def write(results: Iterable[Result]) -> None:
    entries = [dataclasses.asdict(result) for result in results]
    FILE.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def markdown(results: Iterable[Result]) -> str:
    """The table. A step that passed for some choices of transports only names them."""
    lines = ["| Client | Version | Runtime | Transports | What was run |", "|---|---|---|---|---|"]
    for result in results:
        cells = [result.client, result.version, result.runtime, ", ".join(result.ran), _steps(result.ran)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _steps(ran: Mapping[str, list[str]]) -> str:
    named = []
    for step in dict.fromkeys(step for steps in ran.values() for step in steps):
        ways = [way for way, steps in ran.items() if step in steps]
        named.append(step if len(ways) == len(ran) else f"{step} ({', '.join(ways)})")
    return ", ".join(named)
