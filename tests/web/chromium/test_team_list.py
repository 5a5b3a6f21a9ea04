"""The list of a team: hundreds of waiting users, ordered by waiting, after an outage and a resolve."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.interop.processes import Server
from tests.web.chromium.conftest import Place
from tests.web.chromium.test_team import TEAM
from tests.web.chromium.window import Window, with_socket
from tests.web.imported import question, serving_imported

WAITING: Final = 260  # more than two pages
STEP_MS: Final = 60_000
NAMES: Final = "[...document.querySelectorAll('#list a')].map((one) => decodeURIComponent(one.hash.split('/').pop()))"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    first = int(time.time() * 1000) - (WAITING + 1) * STEP_MS
    lines = (question(f"user{n}", f"from user{n}", first + n * STEP_MS) for n in range(WAITING))
    flags = ["--console", "--payload", "full", "--recovery", "on", "--presence", "on", *TEAM]
    with serving_imported(tmp_path, lines, *flags) as started:
        yield started


async def scroll_until(window: Window, count: int) -> list[str]:
    """Scroll down until so many rows are there: their users."""
    users: list[str] = []
    while len(users) < count:
        await window.evaluate("list.scrollTop = list.scrollHeight")
        await window.drawn()
        users = await window.evaluate(NAMES)
    return users


async def first_is(window: Window, *users: str) -> None:
    await window.until(f"{NAMES}.slice(0, {len(users)}).join() === {json.dumps(','.join(users))}")


async def outage(root: Window, boss: Window, change: str) -> None:
    """The other admin makes a change while root is offline."""
    await root.offline(on=True)
    await root.see("#banner")
    await boss.evaluate(with_socket(change))
    await root.offline(on=False)
    await root.gone("#banner")


async def test_all_and_unclaimed_can_begin_with_the_longest_wait(place: Place) -> None:
    """D-18"""
    root = await place.admin()
    last = WAITING - 1
    await first_is(root, f"user{last}", f"user{last - 1}")
    await root.click(".filters button", "Longest wait first")
    await first_is(root, "user0", "user1", "user2")
    assert await scroll_until(root, WAITING) == [f"user{n}" for n in range(WAITING)]
    await root.click("#list a", "from user7")
    await root.say("dime")
    await root.evaluate("document.activeElement.blur()")
    await root.point_at("#thread-name")
    await root.until(f"{NAMES}.at(-1) === 'user7'")  # waits for nothing
    await root.click(".filters button", "Unclaimed")
    await first_is(root, "user0", "user1")
    assert await scroll_until(root, WAITING - 1) == [f"user{n}" for n in range(WAITING) if n != 7]
    await root.click(".filters button", "Mine")
    await root.see("#list a", count=1)
    await root.click(".filters button", "Resolved")
    await root.gone(".filters button", "Longest wait first")
    await root.click(".filters button", "All")
    await first_is(root, "user0", "user1")
    await root.click(".filters button", "Longest wait first")
    await first_is(root, "user7", f"user{last}")


async def test_unanswered_shows_all_who_wait_however_many(place: Place) -> None:
    """D-12"""
    root = await place.admin()
    await root.click(".filters button", "Unanswered 260")
    assert await scroll_until(root, WAITING) == [f"user{n}" for n in range(WAITING)]


async def test_the_list_drops_what_was_resolved_during_an_outage(place: Place) -> None:
    """D-12: although it is not among the most recent conversations."""
    root, boss = await place.admin("root"), await place.admin("boss")
    await root.click(".filters button", "Unanswered")
    await first_is(root, "user0", "user1", "user2")
    await outage(root, boss, 'return socket.ask("resolver", { con: "user1" });')
    await first_is(root, "user0", "user2")


async def test_all_shows_claims_of_an_outage_beyond_the_first_page(place: Place) -> None:
    """D-06"""
    root, boss = await place.admin("root"), await place.admin("boss")
    user = (await scroll_until(root, 120))[90]
    await outage(root, boss, f'return socket.ask("atender", {{ con: "{user}" }});')
    await root.until(f"document.querySelector('#list a[href$=\"/{user}\"] .claimed')?.title === 'Boss'")


async def test_all_shows_claims_of_an_outage_in_rows_that_another_list_has_loaded(place: Place) -> None:
    """D-06, D-08"""
    root, boss = await place.admin("root"), await place.admin("boss")
    await root.click(".filters button", "Unanswered")
    await first_is(root, "user0", "user1", "user2")
    await root.click(".filters button", "All")
    waits = "document.querySelector('#list a[href$=\"/user1\"] .waits')"
    await root.until(waits)
    await outage(root, boss, 'return socket.ask("resolver", { con: "user1" });')
    await root.until(f"!{waits}")


async def test_no_row_leaves_the_list_under_the_pointer(place: Place) -> None:
    """D-12: the row below would take its place, and the click."""
    root, boss = await place.admin("root"), await place.admin("boss")
    await root.click(".filters button", "Unanswered 260")
    await first_is(root, "user0", "user1")
    await root.point_at("#list a", "from user1")
    await boss.evaluate(with_socket('return socket.ask("resolver", { con: "user0" });'))
    await root.see(".filters button", "Unanswered 259")
    await root.drawn()
    await first_is(root, "user0", "user1")
    await root.point_at("#search")
    await first_is(root, "user1", "user2")
    await root.point_at("#list a", "from user1")
    await root.evaluate("document.querySelector('.filters [data-filter=todas]').click()")  # as by the keyboard
    await first_is(root, f"user{WAITING - 1}")


async def test_resolve_leaves_a_question_that_was_not_shown(place: Place) -> None:
    """D-08: what the user wrote after the last message on the page opens the case again."""
    root = await place.admin()
    await root.click("#list a", f"from user{WAITING - 1}")
    await root.see(".bubble", f"from user{WAITING - 1}")
    await root.click(".case button", "Resolve")
    await root.see(".case", "Resolved by Root")
    [asked] = [frame for way, frame in root.frames if way == "Sent" and '"resolver"' in frame]
    assert '"hasta":"' in asked
