"""The events of protocol.md: for each its sender, its payload and its acknowledgement.

The table of 4.3 lists the events; a cell has the shape, or the rule with the shape. The table of chapter 9 has the
types of fields: by name, or as `event.field` and `field.field` if a name has several meanings.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.types.shapes import Shape, parse

PAGE: Final = Path(__file__).parents[2] / "protocol.md"

_RULE: Final = re.compile(r"^- \*\*([A-Z]-\d+)\*\*(.*(?:\n(?!- \*\*|\n|#|\|).*)*)", re.MULTILINE)
_REFERENCE: Final = re.compile(r"\b[A-Z]-\d+\b")
_ROW: Final = re.compile(r"^\| (.+) \|$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Event:
    name: str
    of_client: bool
    payloads: tuple[Shape, ...]
    """The possible payloads; empty if the event has no argument."""
    payload_optional: bool
    answer: Shape | None
    """The fields beside `ok`; None if the event has no acknowledgement."""
    answer_optional: bool


@dataclasses.dataclass(frozen=True)
class Protocol:
    events: tuple[Event, ...]
    types: Mapping[str, str]
    """The TypeScript types of fields."""
    codes: tuple[str, ...]
    """The values of `error.code`."""


def read(page: str) -> Protocol:
    """Parse protocol.md. Raises ShapeError and KeyError for another notation."""
    chapter = page.partition("\n### 4.3 Events\n")[2].partition("\n### ")[0]
    rules = {rule: " ".join(text.split()) for rule, text in _RULE.findall(page)}
    events: list[Event] = []
    for cells in _table(chapter, "event"):
        name = cells[0].strip("`") if cells[0] != "the same" else events[-1].name
        senders = cells[1].split(" and ") if cells[1].startswith("client") else [cells[1]]
        events += [_event(name, sender, cells[2], cells[3], rules) for sender in senders]
    types = {
        name: cells[1].strip("`").replace("\\|", "|")
        for cells in _table(page, "field | type")
        for name in re.findall(r"`([^`]+)`", cells[0])
    }
    codes = tuple(cells[0].strip("`") for cells in _table(chapter, "`error.code`"))
    return Protocol(tuple(events), types, codes)


def _table(text: str, head: str) -> Iterator[list[str]]:
    """The rows of the table whose first column has the header `head`."""
    begin = text.index(f"| {head} |")
    rows = _ROW.findall(text[begin:].partition("\n\n")[0] + "\n")
    for row in rows[1:]:  # after the header; the separator line has no spaces
        yield [cell.strip() for cell in re.split(r"(?<!\\) \| ", row)]


def _event(name: str, sender: str, argument: str, answered: str, rules: Mapping[str, str]) -> Event:
    cited = [rules[rule] for rule in _REFERENCE.findall(f"{argument} {answered}")]
    of_client = sender.startswith("client")
    payloads = _payloads(name, argument, cited)
    answer = _answer(name, cited) if of_client else None
    optional = any("or without an argument" in text for text in cited)
    return Event(
        name, of_client, payloads, optional, answer, any("acknowledgement is optional" in text for text in cited)
    )


def _payloads(name: str, argument: str, cited: list[str]) -> tuple[Shape, ...]:
    written = re.findall(r"`(\{[^`]*\})`", argument)
    if not written and argument != "none":
        written = [shape for text in cited for shape in re.findall(rf"`{name} (\{{[^`]*\}})`", text)]
    if not written and argument != "none":
        written = [shape for text in cited for shape in re.findall(r"`(\{(?!ok:)[^`]*\})`", text)][:2]
    return tuple(parse(each) for each in written)


def _answer(name: str, cited: list[str]) -> Shape:
    """The first shape after the name of the event in the cited rules."""
    for text in cited:
        mention = re.search(rf"`{name}[ `]", text)
        for written in re.findall(r"`(\{ok: true[^`]*\})`", text[mention.start() if mention else 0 :]):
            fields = dict(parse(written).fields)
            del fields["ok"]
            return Shape(fields)
    return Shape({})
