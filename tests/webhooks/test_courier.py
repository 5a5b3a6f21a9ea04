"""Rule W-05: pauses and bounds of what is sent, on a clock that skips."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from chatd.webhooks.config import Webhook
from chatd.webhooks.courier import FIRST_PAUSE_S, MAX_PAUSE_S, Courier
from chatd.webhooks.events import Event
from chatd.webhooks.lines import Item, Lines
from tests.attack.loop import SkippingLoop

PARALLEL = 3
TURN_S = 0.05  # what each turn of the loop skips


class ManualLoop(SkippingLoop):
    """Real time does not pass."""

    def time(self) -> float:
        return self._skipped_s


class Origin:
    """Counts what was taken."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def on_taken(self, item: Item, event: Event) -> None:
        self.taken.append(event.id)

    async def on_set_aside(self, item: Item, event: Event) -> None:
        raise AssertionError("no other event was delivered")


def items(origin: Origin, *events: tuple[str, str]) -> tuple[Lines, list[Item]]:
    """Items of (conversation, id), and those of them that must begin."""
    lines, first = Lines(), []
    for number, (con, event) in enumerate(events):
        item = Item(origin, number, 0, Event(event, con, b"{}"))
        if lines.add(item):
            first.append(item)
    return lines, first


def hook() -> Webhook:
    return Webhook(name="crm", url="https://crm.example/", secret_file="none", parallel=PARALLEL, max_tries=1)


@pytest.mark.parametrize("status", [500, 503])
def test_pauses_double_up_to_a_bound_and_have_jitter(status: int) -> None:
    loop, origin, tries = ManualLoop(), Origin(), list[float]()

    async def post(headers: list[tuple[str, str]], body: bytes) -> int:
        tries.append(loop.time())
        return 200 if len(tries) == 16 else status

    async def deliver() -> None:
        lines, [item] = items(origin, ("ana", "1"))
        courier = Courier(hook(), b"x" * 32, post, lambda: 0.0)
        sending = asyncio.ensure_future(courier.work(lines, item, lambda: None))
        while not sending.done():
            await asyncio.sleep(0)
            loop.skip(TURN_S)
        await sending
        assert courier.failures == 15

    loop.run_until_complete(deliver())
    loop.close()
    pauses = [after - before for before, after in itertools.pairwise(tries)]
    for number, pause in enumerate(pauses, start=1):
        longest = min(MAX_PAUSE_S, FIRST_PAUSE_S * 2**number)
        assert longest / 2 <= pause <= longest + 5 * TURN_S, (number, pause)  # a timeout takes a few turns
    assert len({round(pause / min(MAX_PAUSE_S, FIRST_PAUSE_S * 2**n), 3) for n, pause in enumerate(pauses, 1)}) > 5
    assert origin.taken == ["1"]


async def test_as_many_requests_as_the_setting_says_run_at_a_time() -> None:
    """And one of each conversation."""
    origin, running, most = Origin(), list[bytes](), list[int]()

    async def post(headers: list[tuple[str, str]], body: bytes) -> int:
        running.append(body)
        most.append(len(running))
        for _ in range(3):
            await asyncio.sleep(0)
        running.pop()
        return 204

    events = [(f"c{number % 10}", str(number)) for number in range(100)]
    lines, first = items(origin, *events)
    assert len(first) == 10
    courier = Courier(hook(), b"x" * 32, post, lambda: 0.0)
    await asyncio.gather(*(courier.work(lines, item, lambda: None) for item in first))
    assert max(most) == PARALLEL
    for con in range(10):
        assert [each for each in origin.taken if int(each) % 10 == con] == [str(n) for n in range(con, 100, 10)]
