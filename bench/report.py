"""The output of a benchmark: text tables, JSON lines, charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import build, machine
from bench.peers import PEERS

RESULTS: Final = build.HERE / "results"


@dataclass(slots=True)
class Report:
    """The records of one benchmark. `folder` receives `<name>.jsonl` and its charts."""

    name: str
    servers: Sequence[str]
    folder: Path = RESULTS
    records: list[dict[str, Any]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def add(self, server: str, case: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
        self.records.append({"benchmark": self.name, "server": server, "case": dict(case), **figures})

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table and keep it for `<name>.txt`; the first column is text, the others are figures."""
        lines = ["", title, *aligned([list(head), *map(list, rows)])]
        print("\n".join(lines), flush=True)
        self.text += lines

    def write(self) -> None:
        """Write the facts first, then one line for each record."""
        self.folder.mkdir(parents=True, exist_ok=True)
        versions = {name: PEERS[name].version() for name in self.servers}
        about = {"benchmark": self.name, "machine": machine.facts(), "versions": versions}
        lines = [msgspec.json.encode(line) for line in [about, *self.records]]
        (self.folder / f"{self.name}.jsonl").write_bytes(b"\n".join(lines) + b"\n")
        facts = [f"{key}: {value}" for key, value in machine.facts().items()]
        facts += [f"server {name}: {version}" for name, version in versions.items()]
        (self.folder / f"{self.name}.txt").write_text("\n".join([*facts, *self.text]) + "\n")

    def page(self, name: str, markdown: str) -> None:
        """A table for README.md."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.md").write_text(markdown)

    def chart(self, name: str, svg: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.svg").write_text(svg)


def colour(server: str) -> int:
    """The same colour for a server in every chart."""
    return list(PEERS).index(server)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


def count(value: float) -> str:
    """A rate in short form: 1.21M, 83.4k, 950."""
    if value >= 1e6:
        return f"{value / 1e6:.2f}M"
    if value >= 1e4:
        return f"{value / 1e3:.0f}k"
    if value >= 1e3:
        return f"{value / 1e3:.1f}k"
    return f"{value:.0f}"


def milliseconds(nanoseconds: int) -> str:
    value = nanoseconds / 1e6
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"


def size(value: int) -> str:
    return f"{value} B" if value < 1024 else f"{value // 1024} KiB"
