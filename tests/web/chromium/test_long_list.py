"""A list of 500 conversations, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.interop.processes import Server
from tests.web.chromium.conftest import FLAGS, Place
from tests.web.imported import question, serving_imported

USERS: Final = 500
WROTE_AT: Final = 1_767_268_800_000
STEP_MS: Final = 60_000
MOST_PRESSES: Final = 25


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    lines = (question(f"user{n}", f"from user{n}", WROTE_AT + n * STEP_MS) for n in range(USERS))
    with serving_imported(tmp_path, lines, *FLAGS) as started:
        yield started


async def test_tab_leads_from_the_header_to_the_box_in_a_few_presses(place: Place) -> None:
    """205 once: each row was a stop, and the list grew on the way."""
    admin = await place.admin()
    await admin.click("#list a", f"from user{USERS - 1}")
    await admin.until("document.activeElement.id === 'box'")
    await admin.evaluate("document.getElementById('skip').focus()")
    presses = 0
    while not await admin.evaluate("document.activeElement.id === 'box'"):
        await admin.press("Tab")
        presses += 1
        assert presses <= MOST_PRESSES
