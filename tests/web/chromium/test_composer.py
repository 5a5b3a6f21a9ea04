"""The message box."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window
from tests.web.tab import FINDER

BOX = f"({FINDER})('#box')[0]"


async def height(window: Window) -> float:
    """The height of the box in lines."""
    value: float = await window.evaluate(f"({BOX}.clientHeight - 14) / parseFloat(getComputedStyle({BOX}).lineHeight)")
    return value


@pytest.mark.parametrize("where", ["widget", "console"])
async def test_it_grows_with_wrapped_lines(place: Place, where: str) -> None:
    ana = await place.user()
    window = ana if where == "widget" else await place.admin()
    if where == "console":
        await window.click("#list a", "ana")
    await window.write("#box", "one")
    assert round(await height(window)) == 1
    await window.type(" and another word" * 6)
    lines = await height(window)
    assert 2 <= lines <= 6
    assert await window.evaluate(f"{BOX}.scrollHeight === {BOX}.clientHeight")
    await window.type(" and many more words" * 60)
    assert lines < await height(window) < 6.5
    await window.press("Enter")
    await window.see(".mine .bubble", "many more words")
    assert round(await height(window)) == 1


async def test_a_text_over_the_limit_is_neither_cut_nor_sent(place: Place) -> None:
    """C-12: counted in code points as on the server: an emoji (surrogate pair) is one."""
    ana = await place.user()
    await ana.write("#box", "🎉" * 10_007)
    await ana.see(".excess[role=status]", "7 characters too many: a message has 10,000 at most.")
    assert await ana.evaluate(f"{BOX}.form.querySelector('button').disabled")
    await ana.press("Enter")
    assert await ana.evaluate(f"[...{BOX}.value].length") == 10_007
    assert await ana.texts(".mine") == []
    await ana.evaluate(f"(() => {{ {BOX}.setRangeText('', 0, 14); {BOX}.dispatchEvent(new Event('input')); }})()")
    await ana.gone(".excess")
    await ana.press("Enter")
    await ana.see(".mine[data-mark^=stored]", "🎉")
