"""A page that stays open over midnight."""

from __future__ import annotations

from typing import Final

from tests.web.chromium.conftest import Place

# A day passes while the page is hidden.
TOMORROW: Final = """(() => {
  const Real = Date;
  const now = () => Real.now() + 86_400_000;
  window.Date = class extends Real {
    constructor(...of) { super(...(of.length ? of : [now()])); }
    static now() { return now(); } };
  document.dispatchEvent(new Event("visibilitychange")); })()"""


async def test_today_becomes_yesterday(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await ana.say("hola")
    await admin.click("#list a", "hola")
    await admin.see(".day", "Today")
    await admin.see("#list time", ":")
    await admin.evaluate(TOMORROW)
    await admin.see(".day", "Yesterday")
    await admin.gone(".day", "Today")
    await admin.gone("#list time", ":")
