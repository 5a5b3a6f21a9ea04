"""Writes the table of clients into README.md: `python -m tests.interop.clients.table`."""

from __future__ import annotations

from typing import Final

from tests.interop.clients import results
from tests.reference import README, between

BEGIN: Final = "<!-- made by `make interop` from what the clients did -->\n"
END: Final = "<!-- until here: clients -->\n"


def with_table(page: str) -> str:
    """`page` with the table of the results file. Raises ValueError if `page` lacks the markers."""
    return between(page, BEGIN, END, results.markdown(results.read()))


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
