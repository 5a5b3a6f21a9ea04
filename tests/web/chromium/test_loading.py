"""How the console comes to a slow machine behind a slow line, and what it asks for the second time."""

from __future__ import annotations

from typing import Final

from tests.chat.people import token
from tests.web.chromium.conftest import Place

ASKED: Final = """performance.getEntriesByType("resource").filter(({ name }) => /\\.(js|css|svg)$/.test(name))
  .map(({ name, transferSize }) => [name, transferSize])"""

LATENCY_MS: Final = 60
BYTES_PER_S: Final = 200_000  # 1.6 Mbit/s
CPU_SLOWDOWN: Final = 6
# The goal is 1.5 s on a machine that does nothing else; this one may run other tests.
MOST_S: Final = 8.0


async def test_the_second_visit_asks_for_no_file_again(place: Place) -> None:
    """E-53"""
    admin = await place.admin()
    assert any(size > 0 for _, size in await admin.evaluate(ASKED))
    await admin.go("about:blank")
    await admin.go(f"{place.url}/chatd/")
    await admin.see("#whoami", "root")
    asked = await admin.evaluate(ASKED)
    assert len(asked) > 10
    assert [name for name, size in asked if size > 0] == []


async def test_the_first_row_comes_soon_to_a_slow_machine(place: Place) -> None:
    ana = await place.user()
    await ana.say("hola")
    await ana.see(".mine[data-mark^=stored]")
    admin = await place.window()
    await admin.cookie(place.url, "token", token("root", "admin"))
    await admin.slow_down(cpu=CPU_SLOWDOWN, bytes_per_s=BYTES_PER_S, latency_ms=LATENCY_MS)
    await admin.go(f"{place.url}/chatd/")
    await admin.see("#list a", "hola")
    seconds = await admin.evaluate("performance.now() / 1000")
    await admin.evaluate("""new Promise((seen) => new PerformanceObserver((list) => {
      window.long = list.getEntries().map(({ duration }) => Math.round(duration)); seen(); })
      .observe({ type: "longtask", buffered: true }))""")
    long = await admin.evaluate("long")
    print(f"first row within {seconds:.2f} s; tasks over 50 ms: {long}")
    assert seconds < MOST_S
