"""A simulated hour at one desk: two admins and three customers.

It runs in rounds: in each, customers write, and both admins concurrently answer what their consoles show as unanswered.
At the end, each question has exactly one answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.web.chromium.place import Place
from tests.web.chromium.window import Window

MINUTES: Final = range(0, 60, 5)
AWAY: Final = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "WebSocket", "status of 503")
CUSTOMERS: Final = ("ana", "eva", "leo")

# The open thread: questions of the customer, and answers of any admin.
OPEN_QUESTIONS: Final = """(() => {
  const bubbles = (selector) => [...document.querySelectorAll(`#messages ${selector} .bubble`)];
  const said = (selector) => bubbles(selector).map((one) => one.textContent);
  const answered = [...said('.mine'), ...said('.colleague')].join(' ').match(/re q\\d+/g) ?? [];
  return said('.message:not(.mine):not(.colleague)').filter((one) => !answered.includes(`re ${one}`));
})()"""


@pytest.fixture
def flags() -> list[str]:
    team = ["--admin-messages", "team", "--presence", "on", "--claim-timeout", "1", "--presence-grace", "0.2"]
    return ["--console", "--payload", "full", "--echo", "on", "--recovery", "on", *team]


class Customer:
    """Writes numbered questions."""

    numbers = iter(range(1, 1_000))

    def __init__(self, name: str, window: Window) -> None:
        self.name = name
        self.window = window

    async def ask(self) -> None:
        question = f"q{next(self.numbers)}"
        await self.window.say(question)
        await self.window.see(".message.mine", question)


class Admin:
    """Does the work that the console shows."""

    def __init__(self, name: str, window: Window) -> None:
        self.name = name
        self.window = window

    async def work(self) -> None:
        """Answer waiting conversations that no other admin has."""
        await self.window.click(".filters button", "Unanswered")
        for customer in CUSTOMERS:
            if await self._is_to_do(customer) and await self.claim(customer):
                await self._answer(customer)

    async def claim(self, customer: str) -> bool:
        """Claim a conversation. Returns whether this admin got it: only one of two concurrent claims succeeds."""
        await self.open(customer)
        if not await self.window.evaluate("document.querySelector('.case').textContent.includes('You are on it')"):
            if not await self.window.evaluate("document.querySelector('.case button.claim') !== null"):
                return False
            await self.window.evaluate("document.querySelector('.case button.claim')?.click()")
            await self.window.until("document.querySelector('.case').textContent.match(/are on it|is on it/)")
        return bool(await self.window.evaluate("document.querySelector('.case').textContent.includes('You are on it')"))

    async def open(self, customer: str) -> None:
        await self.window.evaluate(f"location.hash = '#/with/{customer}'")
        await self.window.see("#thread-presence", customer)
        await self.window.see(".case")

    async def press(self, action: str) -> None:
        await self.window.click(f".case button.{action}")

    async def _is_to_do(self, customer: str) -> bool:
        """Whether the list shows it as waiting and not assigned to another admin."""
        row = json.dumps(f"#list a[href='#/with/{customer}']")
        free = "['', 'You'].includes(row.querySelector('.claimed')?.textContent ?? '')"
        return bool(await self.window.evaluate(f"((row) => row !== null && {free})(document.querySelector({row}))"))

    async def _answer(self, customer: str) -> None:
        for question in await self.window.evaluate(OPEN_QUESTIONS):
            await self.window.say(f"re {question}")
            await self.window.see(".message.mine", f"re {question}")


async def work(*admins: Admin) -> None:
    await asyncio.gather(*(admin.work() for admin in admins))


async def test_in_an_hour_no_question_is_answered_twice_or_forgotten(place: Place, tmp_path: Path) -> None:
    """D-06 to D-10, D-14, D-15"""
    root, boss = [Admin(name, await place.admin(name)) for name in ("root", "boss")]
    people = [Customer(name, await place.user(name)) for name in CUSTOMERS]
    for minute in MINUTES:
        for number, customer in enumerate(people):
            if (minute // 5 + number) % 2:
                await customer.ask()
        if minute == 10:
            await _note_and_reply(root, boss)
        elif minute == 20:
            await _take_over(root, boss)
        elif minute == 30:
            boss = await _die_and_come_back(place, boss)
        elif minute == 40:
            await _restart(place, root, boss)
        elif minute == 50:
            await _resolve_and_reopen(root, people[0])
        await work(root, boss)
    questions, answers = await _finish(tmp_path / "chat.db", root, boss)
    assert len(questions) >= 15
    assert answers == {f"re {question}": 1 for question in questions}


async def _note_and_reply(root: Admin, boss: Admin) -> None:
    """Use a canned reply, and check that the other admin sees a note."""
    await root.open("ana")
    await root.window.click(".notes summary")
    await root.window.write(".notes textarea", "pays late")
    await root.window.click(".notes button")
    await boss.open("ana")
    await boss.window.see(".notes .count", "1")
    await root.window.write("#box", "/")
    await root.window.press("Enter")
    await root.window.write(".canned-editor input", "bye")
    await root.window.write(".canned-editor textarea", "Anything else?")
    await root.window.click(".canned-editor button", "Keep")
    await root.window.see(".canned-editor li", "/bye")
    await root.window.click(".canned-editor button", "Close")


async def _take_over(root: Admin, boss: Admin) -> None:
    if await root.claim("eva"):
        await boss.open("eva")
        await boss.press("takeOver")
    else:
        await root.press("takeOver")
    await boss.open("eva")
    await root.window.until("/is on it|You are on it/.test(document.querySelector('.case').textContent)")


async def _die_and_come_back(place: Place, boss: Admin) -> Admin:
    """An admin with a claim loses the connection; the claim expires, and the other admin answers."""
    await boss.claim("leo")
    place.windows.remove(boss.window)
    await boss.window.close()
    return Admin("boss", await place.admin("boss"))


async def _restart(place: Place, *admins: Admin) -> None:
    for window in place.windows:
        window.allowed.update(AWAY)
    await asyncio.to_thread(place.server.stop)
    await asyncio.to_thread(place.server.start)
    for admin in admins:
        await admin.window.gone("#banner", "No connection")


async def _resolve_and_reopen(root: Admin, ana: Customer) -> None:
    await root.open("ana")
    if await root.window.evaluate("document.querySelector('.case button.resolve') !== null"):
        await root.press("resolve")
        await root.window.see(".case", "Resolved")
    await ana.ask()
    await root.window.gone(".case", "Resolved")


async def _finish(db: Path, *admins: Admin) -> tuple[list[str], Counter[str]]:
    """Let the admins work until nothing is shown as waiting. Returns all questions and answers."""
    async with asyncio.timeout(60):
        while True:
            said = _said(db)
            questions = [text for text in said if re.fullmatch(r"q\d+", text)]
            answers = Counter(text for text in said if text.startswith("re q"))
            if len(answers) >= len(questions):
                return questions, answers
            await work(*admins)


def _said(db: Path) -> list[str]:
    with sqlite3.connect(db) as connection:
        return [text for (text,) in connection.execute("SELECT mensaje FROM mensajes ORDER BY id")]
