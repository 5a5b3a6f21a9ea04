"""A hook as a tool sees it, from a process beside the daemon: one request at a time, and its result in words."""

from __future__ import annotations

import time
from typing import NamedTuple

from chatd.webhooks.client import NO_ANSWER
from chatd.webhooks.config import Webhook
from chatd.webhooks.events import Event
from chatd.webhooks.opening import poster_of, secret_of
from chatd.webhooks.signing import headers_of


class Outcome(NamedTuple):
    """Of one request: `status` is None where no answer came."""

    status: int | None
    words: str

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Sends events of one hook."""

    def __init__(self, hook: Webhook) -> None:
        """Raises ConfigError."""
        self._hook = hook
        self._secret = secret_of(hook)
        self._poster = poster_of(hook)

    async def send(self, event: Event) -> Outcome:
        """One try."""
        try:
            status = await self._poster.post(
                headers_of(self._secret, event.id, int(time.time()), event.body), event.body
            )
        except TimeoutError:
            return Outcome(None, f"no answer within {self._hook.timeout:g} s")
        except NO_ANSWER as error:
            return Outcome(None, f"no answer: {error}")
        return Outcome(status, f"it answered {status}")
