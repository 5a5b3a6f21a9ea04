"""Sends the events of one hook: in order for each conversation, several conversations at a time. Rules W-03 to W-08."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final, Protocol

import h11

from chatd.webhooks import log
from chatd.webhooks.client import NO_ANSWER
from chatd.webhooks.config import Webhook
from chatd.webhooks.events import Event
from chatd.webhooks.lines import Item, Lines
from chatd.webhooks.signing import headers_of

FIRST_PAUSE_S: Final = 0.5
MAX_PAUSE_S: Final = 300.0

GONE: Final = 410
OVERLOADED: Final = frozenset({408, 425, 429, 502, 503, 504})
"""Answers that say nothing about the event: it is sent again, however often."""


class Post(Protocol):
    """See Poster.post."""

    async def __call__(self, headers: list[tuple[str, str]], body: bytes) -> int: ...


class SwitchedOffError(Exception):
    """The receiver has answered 410."""


class Courier:
    """The origin of an event hears what became of it."""

    def __init__(self, hook: Webhook, secret: bytes, post: Post, clock: Callable[[], float]) -> None:
        self._hook = hook
        self.secret = secret
        self._post = post
        self._clock = clock
        self._slots = asyncio.Semaphore(hook.parallel)
        self._recovered = asyncio.Event()
        self._failing = False
        self._cause: str | None = None
        self.delivered = 0
        self.failures = 0
        self.aside = 0

    async def work(self, lines: Lines, first: Item, on_done: Callable[[], None]) -> None:
        """Send `first` and what stands behind it in its conversation. Raises SwitchedOffError and StoreError."""
        item: Item | None = first
        while item is not None:
            await self._deliver(item)
            item = lines.finish(item)
            on_done()

    async def _deliver(self, item: Item) -> None:
        if item.event is None:
            return
        delivered_before = self.delivered
        while True:
            async with self._slots:
                status = await self.send(item.event)
            if status is not None and 200 <= status < 300:
                self._succeeded()
                await item.origin.on_taken(item, item.event)
                return
            self._failed(status)
            item.tries += 1
            if status is not None and status not in OVERLOADED:
                item.refusals += 1
                if item.refusals >= self._hook.max_tries and self.delivered > delivered_before:
                    await item.origin.on_set_aside(item, item.event)
                    log.warning("event set aside", extra={"hook": self._hook.name, "event": item.event.id})
                    self.aside += 1
                    return
            await self._pause(item, until_recovered=item.refusals == 0)

    async def send(self, event: Event) -> int | None:
        """One try: the status, or None where there is no answer. Raises SwitchedOffError."""
        headers = headers_of(self.secret, event.id, int(self._clock()), event.body)
        try:
            status = await self._post(headers, event.body)
        except NO_ANSWER as error:
            # After a colon h11 quotes what it was sent.
            words = str(error).partition(":")[0] if isinstance(error, h11.RemoteProtocolError) else str(error)
            self._cause = words or "no answer in time"
            log.debug("no answer of a webhook", extra={"hook": self._hook.name, "cause": self._cause})
            return None
        self._cause = None
        if status == GONE:
            raise SwitchedOffError(self._hook.name)
        return status

    def _succeeded(self) -> None:
        self.delivered += 1
        if self._failing:
            self._failing = False
            log.info("webhook delivers again", extra={"hook": self._hook.name})
        self._recovered.set()
        self._recovered = asyncio.Event()

    def _failed(self, status: int | None) -> None:
        self.failures += 1
        if not self._failing:
            self._failing = True
            log.warning(
                "webhook does not deliver", extra={"hook": self._hook.name, "status": status, "cause": self._cause}
            )

    async def _pause(self, item: Item, *, until_recovered: bool) -> None:
        """Longer each time, and never all at once. What did not reach a receiver goes on when something else has."""
        longest_s = min(MAX_PAUSE_S, FIRST_PAUSE_S * 2 ** min(item.tries, 30))
        pause_s = longest_s * (0.5 + random.random() / 2)  # noqa: S311 - no secret
        if not until_recovered:
            await asyncio.sleep(pause_s)
            return
        recovered = self._recovered
        try:
            async with asyncio.timeout(pause_s):
                await recovered.wait()
        except TimeoutError:
            pass
