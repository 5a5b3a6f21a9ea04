"""A list that is loaded in part: search and unread count."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from bench.ports import free_port
from tests.chat.people import SECRET
from tests.interop import processes
from tests.interop.processes import ROOT, Server, running
from tests.web.chromium.conftest import Place
from tests.web.chromium.window import with_socket

CLIENTS: Final = 130  # the page loads 50 at first
WROTE_AT: Final = 1_700_000_000_000


@pytest.fixture
def server(tmp_path: Path, flags: list[str]) -> Iterator[Server]:
    """A daemon where `client000` wrote first and `client129` last."""
    secret_file, lines, database = tmp_path / "secret", tmp_path / "lines", tmp_path / "chat.db"
    secret_file.write_text(SECRET)
    secret_file.chmod(0o600)
    with lines.open("w") as file:
        for place in range(CLIENTS):
            about = {"id": str(1000 + place), "de": f"client{place:03}", "para": "soporte", "supervisado": True}
            file.write(json.dumps({**about, "mensaje": f"line {place}", "fecha": WROTE_AT + place * 1000}) + "\n")
    subprocess.run([sys.executable, "-m", "chatd", "import", "--db", database, lines], cwd=ROOT, check=True)
    port = free_port()
    with running(processes.chat_command(port, database, secret_file, *flags), port, tmp_path / "log") as started:
        yield started


async def test_a_user_beyond_the_loaded_pages_is_found_by_prefix(place: Place) -> None:
    admin = await place.admin()
    await admin.see("#list li", count=50)
    await admin.write("#search", "client00")
    await admin.see("#list li", "line 0")
    found = await admin.see("#list li", count=11)
    assert ["Write to client00" in row for row in found] == [False] * 10 + [True]
    await admin.click("#list a", "client003")
    await admin.see(".bubble", "line 3")


async def test_enter_opens_at_once_so_that_typing_goes_to_the_found_user(place: Place) -> None:
    admin, late = await place.admin(), await place.user("late")
    await late.shut()
    await admin.click("#list a", "client129")
    await admin.see("#thread-name", "client129")
    await admin.write("#search", "late")
    await admin.press("Enter")
    await admin.until("document.getElementById('thread-name').textContent === 'late'")
    await admin.type("hello?")
    await admin.press("Enter")
    await admin.see(".mine", "hello?")


async def test_enter_prefers_the_exact_name(place: Place) -> None:
    admin, _ = await place.admin(), await place.user("client")
    await admin.see("#list a", "online")
    await admin.write("#search", "client")
    await admin.press("Enter")
    await admin.until("document.getElementById('thread-name').textContent === 'client'")


async def test_opening_a_row_ends_the_search(place: Place) -> None:
    admin = await place.admin()
    for open_it in (admin.press("Enter"), admin.click("#list a", "client003")):
        await admin.write("#search", "client003")
        await admin.see("#list a", "line 3")
        await open_it
        await admin.see("#thread-name", "client003")
        await admin.until("document.getElementById('search').value === ''")
        await admin.see("#list a", "line 129")
        await admin.evaluate("location.hash = '#/'")
        await admin.gone("#thread-name")


async def test_paging_continues_correctly_after_a_search(place: Place) -> None:
    admin = await place.admin()
    await admin.see("#list li", count=50)
    await admin.write("#search", "client000")
    await admin.see("#list a", "line 0")
    await admin.press("Escape")
    await admin.see("#list li", count=51)
    for rows in (101, CLIENTS):
        await admin.evaluate("(() => { const list = document.getElementById('list'); list.scrollTop = 1e6; })()")
        await admin.see("#list li", count=rows)


async def test_the_unread_count_shows_that_there_may_be_more(place: Place) -> None:
    """The number of loaded conversations with unread messages."""
    admin = await place.admin()
    await admin.see("#unread", "50+")
    await admin.until("document.title === '(50+) chatd'")
    for count in ("100+", "130"):
        await admin.evaluate("(() => { const list = document.getElementById('list'); list.scrollTop = 1e6; })()")
        await admin.until(f"document.getElementById('unread').textContent === '{count}'")
    await admin.click("#list a", "line 129")
    await admin.until("document.title === '(129) chatd'")


async def test_the_count_is_not_zero_before_all_conversations_are_loaded(place: Place) -> None:
    admin = await place.admin()
    await admin.see("#unread", "50+")
    await admin.evaluate(
        with_socket("""
      for (let place = 80; place < 130; place++) {
        const upto = { con: `client${String(place).padStart(3, "0")}`, hasta: String(1000 + place) };
        for (;;) {
          try { await socket.ask("leido", upto); break; }
          catch (error) { await new Promise((again) => setTimeout(again, 200)); }
        }
      }
    """)
    )
    await admin.see("#list li", count=100)
    await admin.see("#unread", "50+")
    await admin.until("document.title === '(50+) chatd'")


async def test_alt_and_arrow_load_the_next_page_and_keep_the_row_visible(place: Place) -> None:
    admin = await place.admin()
    await admin.see("#list li", count=50)
    for number in range(129, 129 - 55, -1):
        await admin.press("Alt+ArrowDown")
        await admin.until(f"document.getElementById('thread-name').textContent === 'client{number:03}'")
    assert await admin.evaluate("""(() => {
      const list = document.getElementById("list").getBoundingClientRect();
      const row = document.querySelector("#list [aria-current]").getBoundingClientRect();
      return row.top >= list.top - 1 && row.bottom <= list.bottom + 1; })()""")
