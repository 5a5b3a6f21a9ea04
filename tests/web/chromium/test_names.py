"""Different names look different, and long names do not break the layout."""

from __future__ import annotations

from typing import Final

import pytest

from tests.web.chromium.conftest import Place

LONG: Final = "W" * 128


@pytest.mark.parametrize(
    ("user", "shown", "letters"),
    [
        ("\u202eanimda", "⟨202E⟩animda", "A"),
        ("ana\u200b", "ana⟨200B⟩", "A"),
        (" ana", "␣ana", "A"),
        ("ana ", "ana␣", "A"),
        ("ana  eva", "ana ␣eva", "AE"),
        ("ana\u00a0eva", "ana⟨00A0⟩eva", "AE"),
        ("\u3164", "⟨3164⟩", "?"),
        ("ana eva", "ana eva", "AE"),
        ("jos\u00e9", "jos\u00e9", "J"),
        ("jose\u0301", "jose⟨0301⟩", "J"),
        ("\u212bsa", "⟨212B⟩sa", "\u212b"),
        ("an\u0430 \u0410\u043d\u043d\u0430", "an⟨0430⟩ \u0410\u043d\u043d\u0430", "A\u0410"),
        ("so\ufb01a", "so⟨FB01⟩a", "S"),
        ("\uff41na", "⟨FF41⟩na", "\uff21"),
        ("M\u00aa", "M\u00aa", "M"),
        ("علی\u200cرضا", "علی\u200cرضا", "ع"),
        ("👨‍👩‍👧‍👦 ❤️", "👨‍👩‍👧‍👦 ❤️", "👨❤"),
    ],
)
async def test_invisible_characters_in_a_name_are_marked(place: Place, user: str, shown: str, letters: str) -> None:
    admin, visitor = await place.admin(), await place.user(user)
    await visitor.say("hola")
    await admin.see("#list a", "hola")
    assert await admin.evaluate("document.querySelector('.name').firstChild.data") == shown
    assert await admin.texts("#list .avatar") == [letters]
    await admin.click("#list a", "hola")
    await admin.see("#thread-name")
    assert await admin.texts("#thread-name") == [shown]
    await admin.say("buenas")
    await visitor.see(".bubble", "buenas")
    assert await admin.evaluate("document.querySelector('.message .author').textContent") == f"{shown}: "
    await admin.click("#tab-live")
    await admin.see("#who a", shown)


async def test_a_long_name_does_not_widen_the_live_view(place: Place) -> None:
    admin, _ = await place.admin(), await place.user(LONG)
    await admin.click("#tab-live")
    await admin.see("#who a", LONG)
    body = "document.querySelector('.live-body')"
    assert await admin.evaluate(f"{body}.scrollWidth <= {body}.clientWidth")
    assert await admin.evaluate("getComputedStyle(document.querySelector('.chart-foot')).marginBottom") == "0px"


async def test_a_long_name_does_not_widen_a_phone(place: Place) -> None:
    admin, visitor = await place.admin(size=(390, 780), phone=True), await place.user(LONG[:47])
    await visitor.say("hola")
    await admin.see("#list a", "hola")
    await admin.see("#list .name .sr-only", "online")
    assert await admin.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]
