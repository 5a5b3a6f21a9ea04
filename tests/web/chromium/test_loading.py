"""Loading the console on a slow machine behind a slow line, and the requests of a second visit."""

from __future__ import annotations

import itertools
from typing import Final

import pytest

from tests.chat.people import token
from tests.web.chromium.conftest import AT_LENGTH_S, Place
from tests.web.chromium.window import Window

# Every HTTP response, with its size on the wire.
ASKED: Final = """["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
  .map(({ name, transferSize }) => [new URL(name).pathname, transferSize])"""

MOST_REQUESTS: Final = 5  # the page, its style sheet, its script, socket.io-client, the icon
MOST_BYTES: Final = 72_000  # 0.36 s of that line
MOST_TURNS: Final = 2  # round trips on the WebSocket: to join the namespace, and for the list

LATENCY_MS: Final = 60
BYTES_PER_S: Final = 200_000  # 1.6 Mbit/s
CPU_SLOWDOWN: Final = 6
MOST_S: Final = 8.0  # this machine may run other tests
# The goals, on an idle machine.
QUIET_S: Final = 1.5
QUIET_TASK_MS: Final = 200


async def test_the_second_visit_requests_no_file_again(place: Place) -> None:
    """E-53"""
    admin = await place.admin()
    assert sum(size > 0 for _, size in await admin.evaluate(ASKED)) == MOST_REQUESTS
    await admin.go("about:blank")
    await admin.go(f"{place.url}/chatd/")
    await admin.see("#whoami", "root")
    asked = await admin.evaluate(ASKED)
    assert len(asked) >= MOST_REQUESTS
    assert [name for name, size in asked if size > 0] == ["/chatd/"]


async def test_the_first_row_takes_few_requests_bytes_and_turns(place: Place) -> None:
    """E-53"""
    admin = await with_a_row(place)
    await admin.go(f"{place.url}/chatd/")
    await admin.see("#list a", "hola")
    sizes = [size for _, size in await admin.evaluate(ASKED) if size > 0]
    print(f"{len(sizes)} requests, {sum(sizes):,} bytes, {turns_until_list(admin)} turns")
    assert len(sizes) <= MOST_REQUESTS
    assert sum(sizes) < MOST_BYTES
    assert turns_until_list(admin) == MOST_TURNS


def turns_until_list(window: Window) -> int:
    """The number of round trips of the page until the list of conversations arrived."""
    until_list = itertools.takewhile(lambda frame: '"conversaciones":' not in frame[1], window.frames)
    sides = [side for side, _ in itertools.groupby(side for side, _ in until_list)]
    return sides.count("Sent")


async def test_the_first_row_comes_soon_to_a_slow_machine(place: Place, request: pytest.FixtureRequest) -> None:
    admin = await with_a_row(place)
    await admin.slow_down(cpu=CPU_SLOWDOWN, bytes_per_s=BYTES_PER_S, latency_ms=LATENCY_MS)
    await admin.go(f"{place.url}/chatd/")
    await admin.see("#list a", "hola")
    seconds = await admin.evaluate("performance.now() / 1000")
    await admin.evaluate("""new Promise((seen) => new PerformanceObserver((list) => {
      window.long = list.getEntries().map(({ duration }) => Math.round(duration)); seen(); })
      .observe({ type: "longtask", buffered: true }))""")
    long = await admin.evaluate("long")
    print(f"first row within {seconds:.2f} s, goal {QUIET_S}; tasks over 50 ms: {long}, goal none over {QUIET_TASK_MS}")
    assert seconds < MOST_S
    if request.config.getoption("--storm-seconds") >= AT_LENGTH_S:
        assert seconds < QUIET_S
        assert max(long, default=0) <= QUIET_TASK_MS


async def with_a_row(place: Place) -> Window:
    """A new window of an admin who has one conversation."""
    ana = await place.user()
    await ana.say("hola")
    await ana.see(".mine[data-mark^=stored]")
    admin = await place.window()
    await admin.cookie(place.url, "token", token("root", "admin"))
    return admin
