"""The structure of README.md: a chapter of one screen for each kind of reader; longer text is folded."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.reference import README

PAGE: Final = README.read_text(encoding="utf-8")
VISIBLE: Final = re.sub(r"<details>.*?</details>\n", "", PAGE, flags=re.DOTALL)

CHAPTERS: Final = (
    "Try it",
    "Connect a front end",
    "Run it",
    "Operate it",
    "Several nodes",
    "Your other systems",
    "Move from Node.js",
    "Numbers",
    "How it is built",
)
SCREEN_LINES: Final = 66


def anchors(page: str) -> set[str]:
    """The anchors that GitHub makes of headings: lower case, hyphens for spaces, no punctuation."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_reader_has_a_chapter_in_order() -> None:
    assert tuple(re.findall(r"^## (.*)$", PAGE, re.MULTILINE)) == CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_is_one_screen(chapter: str) -> None:
    text = re.split(r"^## ", VISIBLE.partition(f"\n## {chapter}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    assert 10 < len(text.splitlines()) <= SCREEN_LINES, "fold what is longer: <details>"


def test_every_link_leads_somewhere() -> None:
    for page, anchor in re.findall(r"\]\((?!https?:)([\w./-]*)#?([\w-]*)\)", PAGE):
        target = README.parent / page if page else README
        assert target.exists(), page
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), anchor
