"""The display of a message's text: links, code, folding of long texts."""

from __future__ import annotations

from typing import Final

import pytest

from tests.web.chromium.conftest import Place

LINKS: Final = """[...document.querySelectorAll(".bubble a")].map(({ href, rel, target, textContent }) =>
  [textContent, href, rel, target])"""
REL: Final = "noopener noreferrer nofollow"


@pytest.mark.parametrize(
    ("words", "links"),
    [
        ("see https://shop.example/a?b=c#d.", ["https://shop.example/a?b=c#d"]),
        ("(http://a.example/x) and https://b.example/y_(z)", ["http://a.example/x", "https://b.example/y_(z)"]),
        ("javascript:alert(1) data:text/html,x ftp://a.example", []),
        ("https://a.example/\u202egpj.exe", ["https://a.example/"]),
        ("https:// and http://[", []),
    ],
)
async def test_links_are_links_and_nothing_else_is(place: Place, words: str, links: list[str]) -> None:
    admin, ana = await place.admin(), await place.user()
    await ana.say(words)
    await admin.click("#list a", "ana")
    await admin.see(".bubble")
    assert await admin.texts(".bubble") == [words]
    found = await admin.evaluate(LINKS)
    assert [text for text, *_ in found] == links
    assert all([rel, target] == [REL, "_blank"] for _, _, rel, target in found)
    assert all(href.rstrip("/") == text.rstrip("/") for text, href, *_ in found)


async def test_code_stands_between_backticks(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await ana.say("run `npm i <x>` or ```a\n  b``` now, not ` this")
    await admin.click("#list a", "ana")
    await admin.see(".bubble code", "npm i <x>")
    assert await admin.texts(".bubble code") == ["npm i <x>", "a\n  b"]
    assert await admin.texts(".bubble") == ["run npm i <x> or a\n  b now, not ` this"]


async def test_a_long_text_is_folded_and_unfolds(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await ana.say("\n".join(f"line {number}" for number in range(60)))
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "line 59")
    height = "document.querySelector('.bubble').clientHeight"
    low = await admin.evaluate(height)
    await admin.click(".unfold", "Show all")
    assert await admin.evaluate(height) > 3 * low
    await admin.click(".unfold", "Show less")
    assert await admin.evaluate(height) == low


async def test_new_messages_are_below_a_line(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await ana.say("old")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "old")
    await admin.gone("#list .badge")
    await ana.see(".mine[data-mark^=read]", "old")
    await admin.evaluate("location.hash = '#/'")
    await admin.gone("#thread-name")
    for text in ("new one", "new two"):
        await ana.say(text)
        await admin.see("#list a", text)
    await admin.click("#list a", "ana")
    await admin.see(".divider", "New")
    order = "[...messages.children].map((row) => row.querySelector('.bubble')?.textContent ?? row.textContent)"
    assert (await admin.evaluate(order))[-4:] == ["old", "New", "new one", "new two"]


async def test_times_have_a_full_date_in_title_and_datetime(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await ana.say("hola")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "hola")
    for where in (".message time", "#list time"):
        iso, title = await admin.evaluate(f"""(() => {{ const time = document.querySelector("{where}");
          return [time.dateTime, time.title]; }})()""")
        assert await admin.evaluate(f"Math.abs(Date.now() - Date.parse('{iso}'))") < 60_000
        assert iso[:4] in title
