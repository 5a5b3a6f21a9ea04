"""Where README.md has the table of settings. `python -m tests.reference` updates it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chatd.cli.reference import markdown

README: Final = Path(__file__).parents[1] / "README.md"

BEGIN: Final = "<!-- made by `make reference` from what chatd/*/config.py declare -->\n"
END: Final = "<!-- until here -->\n"


def with_reference(page: str) -> str:
    """The page with the current table. Raises ValueError if the page has no marks for it."""
    return between(page, BEGIN, END, markdown())


def between(page: str, begin: str, end: str, text: str) -> str:
    """The page with `text` between two marks. Raises ValueError if the page lacks them."""
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no place for it: {begin}")
    return f"{before}{begin}\n{text}\n{end}{after}"


if __name__ == "__main__":
    README.write_text(with_reference(README.read_text(encoding="utf-8")), encoding="utf-8")
