"""When keys are fetched from the identity provider, and how long they are valid. Rules J-01, J-03 and J-04.

It is asked at the start, every `jwks_refresh` seconds, and when a token names a key that is not known; then no more
than once in `jwks_cooldown`, whatever clients send. All who wait for an answer share one request.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import functools
import math
from collections.abc import Callable
from typing import Final

from chatd.auth.config import AuthConfig
from chatd.auth.jwks import log
from chatd.auth.jwks.fetch import Thread, fetch
from chatd.auth.jwks.keyset import KeySetError, parse
from chatd.auth.keys import Key
from chatd.base.refusals import Refusals
from chatd.base.tasks import Tasks

FIRST_PAUSE_S: Final = 1.0
"""Pause after a failure, doubled after each further one, up to `jwks_refresh`."""

GRACE_S: Final = 1.0
"""Additional time for the DNS lookup, which has its own timeout."""


class JwksLimit(enum.StrEnum):
    """The setting that was reached."""

    JWKS_COOLDOWN = "jwks_cooldown"


class Provider:
    """One provider at a time, from `use` to `close`. `on_keys` gets the keys that are valid from then on."""

    def __init__(self, on_keys: Callable[[tuple[Key, ...]], None], now: Callable[[], float]) -> None:
        """`now` is in seconds."""
        self._now = now
        self._on_keys = on_keys
        self._tasks = Tasks()
        self._thread = Thread()
        self._config = AuthConfig()
        self._asking: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._asked_at = self._answered_at = -math.inf
        self._failed_in_a_row = 0
        self.keys: tuple[Key, ...] = ()
        self.outcomes = {"answered": 0, "failed": 0}
        self.refusals = Refusals(JwksLimit, self._now, log)

    @property
    def is_used(self) -> bool:
        return self._config.jwks_url is not None

    @property
    def age_s(self) -> float:
        """Seconds since the last answer; NaN if there was none."""
        return self._now() - self._answered_at if self._answered_at > -math.inf else math.nan

    @property
    def fault(self) -> str | None:
        """What is wrong with it, in words; None while it answers."""
        if not self.is_used or (self.keys and not self._failed_in_a_row):
            return None
        since = f"for {self.age_s:.0f} s" if self.keys else "yet, or for too long, and no key of it is known"
        return f"the identity provider has not given its keys {since}"

    def use(self, config: AuthConfig) -> None:
        """Use the provider of `config` from now on; keys of another one become invalid."""
        if self._refreshing is not None:
            self._refreshing.cancel()
        if config.jwks_url != self._config.jwks_url:
            self.close()
            self._thread = Thread()
            self._failed_in_a_row = 0
            self._asked_at = self._answered_at = -math.inf
            self._take(())
        self._config = config
        if self.is_used:
            self._refreshing = self._tasks.start(self._refresh(), "keys of the identity provider")

    def close(self) -> None:
        """Idempotent."""
        for task in (self._refreshing, self._asking):
            if task is not None:
                task.cancel()
        self._refreshing = self._asking = None

    async def end(self) -> None:
        """The process is about to end: a thread within OpenSSL would crash it then. A name server is not waited for."""
        self.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._config.jwks_timeout_s + GRACE_S):
                await self._thread.idle.wait()

    def may_ask(self, kid: str | None) -> bool:
        """Whether an unknown kid may cause a fetch. Counts the refused ones (cooldown)."""
        if not self.is_used or (self.keys and (kid is None or any(key.kid == kid for key in self.keys))):
            return False
        if self._asking is not None or not self._is_cooling_down:
            return True
        self.refusals.add(JwksLimit.JWKS_COOLDOWN, "token refused: its key is unknown, and the provider was just asked")
        return False

    async def asked_if_due(self) -> None:
        """After `may_ask` returned True: as `asked`, unless an answer has arrived in between."""
        if self._asking is not None or not self._is_cooling_down:
            await self.asked()

    @property
    def _is_cooling_down(self) -> bool:
        return self._now() < self._asked_at + self._config.jwks_cooldown_s

    async def asked(self) -> None:
        """Return once there is an answer, or after the timeout."""
        if self._asking is None:
            self._asking = self._tasks.start(self._ask(), "ask the identity provider")
        await asyncio.wait([self._asking])

    async def _refresh(self) -> None:
        while True:
            wait_s = self._due() - self._now()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            else:
                await self.asked()

    def _due(self) -> float:
        """The time of the next fetch: sooner after failures, and again before the known keys expire."""
        config = self._config
        if not self._failed_in_a_row:
            return self._asked_at + config.jwks_refresh_s
        due = self._asked_at + min(FIRST_PAUSE_S * 2.0 ** min(self._failed_in_a_row - 1, 30), config.jwks_refresh_s)
        return min(due, self._answered_at + config.jwks_keep_s) if self.keys else due

    async def _ask(self) -> None:
        config = self._config
        try:
            async with asyncio.timeout(config.jwks_timeout_s + GRACE_S):
                keys = await self._thread.run(functools.partial(fetch_keys, config))
        except (KeySetError, TimeoutError) as error:
            self._done()
            self._failed(str(error) or f"no answer within {config.jwks_timeout_s:g} s")
        else:
            self._done()
            self._answered(keys)

    def _done(self) -> None:
        self._asking, self._asked_at = None, self._now()

    def _answered(self, keys: tuple[Key, ...]) -> None:
        self.outcomes["answered"] += 1
        if self._failed_in_a_row:
            log.info("the identity provider gives its keys again")
        self._failed_in_a_row = 0
        self._answered_at = self._now()
        self._take(keys)

    def _failed(self, cause: str) -> None:
        self.outcomes["failed"] += 1
        if not self._failed_in_a_row:
            log.warning("the identity provider does not give its keys", extra={"cause": cause})
        self._failed_in_a_row += 1
        if self.keys and self._now() >= self._answered_at + self._config.jwks_keep_s:
            log.error("the keys of the identity provider are too old to count", extra={"cause": cause})
            self._take(())

    def _take(self, keys: tuple[Key, ...]) -> None:
        if len(keys) == len(self.keys) and all(map(_is_same, keys, self.keys)):
            return
        self.keys = keys
        if keys:
            log.info("keys of the identity provider", extra={"keys": len(keys)})
        self._on_keys(keys)


def fetch_keys(config: AuthConfig) -> tuple[Key, ...]:
    """Ask once. Blocks. Raises KeySetError."""
    return parse(fetch(str(config.jwks_url), config.jwks_timeout_s, config.max_jwks_bytes), config)


def _is_same(one: Key, other: Key) -> bool:
    return one.kid == other.kid and one.is_same(other)
