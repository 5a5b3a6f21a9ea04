"""The search box finds messages too if the server has an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.interop.processes import Server
from tests.web.chromium.conftest import Place
from tests.web.imported import serving_imported

WROTE_AT: Final = 1_700_000_000_000
MESSAGES: Final = 300  # more than a thread loads at first


@pytest.fixture
def server(tmp_path: Path, flags: list[str]) -> Iterator[Server]:
    """A daemon with many messages of ana; an old one is about a broken bicycle."""
    texts = ["Mi Bicicleta está rota" if place == 7 else f"line {place}" for place in range(MESSAGES)]
    about = {"de": "ana", "para": "soporte", "supervisado": True}
    lines = [
        {**about, "id": str(1_000 + place), "mensaje": text, "fecha": WROTE_AT + place * 1_000}
        for place, text in enumerate(texts)
    ]
    with serving_imported(tmp_path, lines, *flags, "--search", "on") as started:
        yield started


async def test_a_message_is_found_by_its_words_and_opens_its_thread_there(place: Place) -> None:
    """C-89: by the keyboard from the search box, and again while the thread is open."""
    admin = await place.admin()
    for _ in range(2):
        await admin.write("#search", "bicicléta")
        await admin.see("#list .hits", "In messages")
        await admin.see("#list a.hit", "Mi Bicicleta", count=1)
        await admin.evaluate("document.querySelector('#list a.hit').focus(); 0")
        await admin.press("Enter")
        await admin.see("#thread-name", "ana")
        await admin.see(".message.sought .bubble", "Mi Bicicleta está rota")
        await admin.until("document.getElementById('search').value === ''")
        await admin.until("""(() => {
          const list = document.getElementById("messages").getBoundingClientRect();
          const row = document.querySelector(".message.sought").getBoundingClientRect();
          return row.top >= list.top && row.bottom <= list.bottom; })()""")
        await admin.evaluate("document.querySelector('.jump:not(.to-new)').click(); 0")
        await admin.see(".bubble", f"line {MESSAGES - 1}")
    await admin.gone("#list a.hit")


async def test_older_hits_are_loaded_by_a_button(place: Place) -> None:
    """C-89"""
    admin = await place.admin()
    await admin.write("#search", "line")
    await admin.see("#list a.hit", count=20)
    await admin.click("#list button", "Older messages")
    await admin.see("#list a.hit", count=40)
