"""Printing a thread, checked by the browser's PDF."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pypdf
import pytest

from tests.interop.processes import Server
from tests.web.chromium.conftest import FLAGS, Place
from tests.web.imported import id_at, serving_imported

LENGTH: Final = 120  # four pages of history
WROTE_AT: Final = 1_767_268_800_000
STEP_MS: Final = 60_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    lines = (
        {
            "id": id_at(WROTE_AT + n * STEP_MS), "de": "ana", "para": "soporte", "supervisado": True,
            "mensaje": f"line {n}.", "fecha": WROTE_AT + n * STEP_MS,
        }
        for n in range(LENGTH)
    )  # fmt: skip
    with serving_imported(tmp_path, lines, *FLAGS) as started:
        yield started


async def test_a_print_has_every_loaded_message_and_only_the_thread(place: Place) -> None:
    admin = await place.admin()
    await admin.click("#list a", "ana")
    await admin.see(".bubble", f"line {LENGTH - 1}.")
    while len(shown := await admin.texts(".bubble")) < LENGTH:
        await admin.evaluate("messages.scrollTop = 0")
        await admin.until(f"messages.querySelectorAll('.bubble').length > {len(shown)}")
    paper = pypdf.PdfReader(io.BytesIO(await admin.printed()))
    text = "\n".join(page.extract_text() for page in paper.pages)
    assert re.findall(r"line \d+\.", text) == [f"line {n}." for n in range(LENGTH)]
    assert len(paper.pages) > 3
    assert "ana" in paper.pages[0].extract_text()
    for beside in ("Conversations", "Write a message"):
        assert beside not in text
