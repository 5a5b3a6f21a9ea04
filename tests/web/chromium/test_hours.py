"""Opening hours in the widget: it shows when the site answers if no admin is online."""

from __future__ import annotations

import datetime
import json
from typing import Final

import pytest

from tests.web.chromium.conftest import FLAGS, Place

OFFICE: Final = "Mo-Fr 09:00-13:00,15:00-19:00; Sa 10:00-14:00"
NIGHT: Final = "Fr 22:00-02:00"
MADRID: Final = "Europe/Madrid"

# Hours, time zone, now, whether open, and until when (UTC); 2026-03-02 is a Monday.
CASES: Final = (
    (OFFICE, "UTC", "2026-03-02T09:00", True, "2026-03-02T13:00"),
    (OFFICE, "UTC", "2026-03-02T12:59", True, "2026-03-02T13:00"),
    (OFFICE, "UTC", "2026-03-02T13:00", False, "2026-03-02T15:00"),
    (OFFICE, "UTC", "2026-03-06T19:30", False, "2026-03-07T10:00"),
    (OFFICE, "UTC", "2026-03-07T14:00", False, "2026-03-09T09:00"),
    (OFFICE, MADRID, "2026-03-02T08:00", True, "2026-03-02T12:00"),
    (OFFICE, MADRID, "2026-03-28T20:00", False, "2026-03-30T07:00"),  # daylight saving time begins in between
    (OFFICE, MADRID, "2026-10-24T20:00", False, "2026-10-26T08:00"),  # and ends
    (NIGHT, "UTC", "2026-03-06T23:00", True, "2026-03-07T02:00"),
    (NIGHT, "UTC", "2026-03-07T01:59", True, "2026-03-07T02:00"),
    (NIGHT, "UTC", "2026-03-07T02:00", False, "2026-03-13T22:00"),
    ("Su-Mo 23:00-24:00", "UTC", "2026-03-08T23:30", True, "2026-03-09T00:00"),
    ("Su 20:00-24:00; Mo 00:00-02:00", "UTC", "2026-03-08T22:00", True, "2026-03-09T00:00"),
)
UNREADABLE: Final = ("", ";", "9 to 17", "Mo-Fr", "Mo 9:00-17:00", "Mo-Xx 09:00-17:00", "Mo-We-Fr 09:00-10:00",
                     "Mo 09:00-25:00", "Mo 24:00-25:00")  # fmt: skip


async def test_hours_are_in_the_sites_time_zone(place: Place) -> None:
    page = await place.window()
    await page.go(f"{place.url}/chatd/panel")
    cases = [case[:3] for case in CASES]
    answers = await page.evaluate(f"""import("/chatd/hours.js").then(({{ Hours }}) =>
      {json.dumps(cases)}.map(([words, zone, now]) => new Hours(words, zone).at(Date.parse(`${{now}}Z`))))""")
    when = [datetime.datetime.fromtimestamp(answer["until"] / 1000, datetime.UTC) for answer in answers]
    found = [(answer["open"], f"{until:%Y-%m-%dT%H:%M}") for answer, until in zip(answers, when, strict=True)]
    assert found == [case[3:] for case in CASES]


async def test_invalid_hours_are_refused(place: Place) -> None:
    page = await place.window()
    await page.go(f"{place.url}/chatd/panel")
    cases = [*([words, "UTC"] for words in UNREADABLE), [OFFICE, "Europe/Nowhere"]]
    read = await page.evaluate(f"""import("/chatd/hours.js").then(({{ Hours }}) =>
      {json.dumps(cases)}.filter((given) => {{
      try {{
        return new Hours(...given);
      }} catch (error) {{
        if (!(error instanceof RangeError)) throw error;
        return false;
      }} }}))""")
    assert read == []


async def hello(place: Place, hours: str) -> str:
    ana = await place.enter(f"/chatd/panel?timeZone=UTC&hours={hours}", "ana", "user")
    (said,) = await ana.see("#hello", "Nobody is here")
    return said


@pytest.mark.parametrize("flags", [[*FLAGS, "--presence", "on"]])
async def test_without_an_admin_online_the_panel_says_when_the_site_answers(place: Place) -> None:
    """C-78"""
    assert (await hello(place, "Mo-Su 00:00-24:00")).startswith("Nobody is here right now: we answer by ")
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)
    said = await hello(place, f"{later:%a}"[:2] + " 12:00-13:00")
    assert said.startswith("Nobody is here right now: we answer from ")
    assert f"{later:%A}" in said
    assert await hello(place, "whenever") == "Nobody is here right now. Write to us: the answer will be here."
    await place.admin()
    ana = await place.enter("/chatd/panel?hours=Mo-Su 00:00-24:00", "ana", "user")
    await ana.see("#hello", "How can we help?")


# The page's clock comes to the end of the hours in two seconds; then the page around shows the panel.
NEARLY_NOON: Final = """(() => {
  const Real = Date;
  const ahead = new Real().setUTCHours(11, 59, 58, 0) - Real.now();
  window.Date = class extends Real {
    static now() { return Real.now() + ahead; } };
  for (const shown of [false, true]) window.postMessage({ chatd: { shown } }, "*"); })()"""


@pytest.mark.parametrize("flags", [[*FLAGS, "--presence", "on"]])
async def test_the_greeting_changes_when_the_hours_end(place: Place) -> None:
    ana = await place.enter("/chatd/panel?timeZone=UTC&hours=Mo-Su 00:00-12:00", "ana", "user")
    await ana.see("#hello", "Nobody is here right now")
    await ana.evaluate(NEARLY_NOON)
    await ana.see("#hello", "we answer by ")
    await ana.see("#hello", "we answer from ")
