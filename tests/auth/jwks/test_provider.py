from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from chatd.auth.config import AuthConfig
from chatd.auth.jwks.provider import Provider
from chatd.auth.keys import Key
from tests.auth.jwks.idp import PATIENCE_S, Idp, key_set, providing


class Rig:
    """A provider of keys on a real HTTP server, with a clock that the test sets."""

    def __init__(self, idp: Idp) -> None:
        self.idp = idp
        self.passed_s = 0.0
        self.taken: list[list[str | None]] = []
        self.provider = Provider(self._take, self._now)

    def use(self, **settings: Any) -> None:
        self.provider.use(AuthConfig(**{"jwks_url": self.idp.url, "jwks_refresh_s": 600.0, **settings}))

    def _now(self) -> float:
        return asyncio.get_running_loop().time() + self.passed_s

    def _take(self, keys: tuple[Key, ...]) -> None:
        self.taken.append([key.kid for key in keys])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what it waits for is on another thread
            await asyncio.sleep(0.005)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    with providing() as idp:
        rig = Rig(idp)
        yield rig
        rig.provider.close()


async def test_the_keys_are_fetched_at_the_start(rig: Rig) -> None:
    """J-01"""
    assert (rig.provider.fault, rig.provider.is_used) == (None, False)
    rig.use()
    assert math.isnan(rig.provider.age_s)
    assert str(rig.provider.fault).startswith("the identity provider has not given its keys yet")
    await rig.provider.asked()
    assert rig.taken == [["rsa"]]
    assert rig.provider.fault is None
    assert 0 <= rig.provider.age_s < PATIENCE_S
    assert rig.provider.outcomes == {"answered": 1, "failed": 0}


async def test_concurrent_waiters_share_one_fetch(rig: Rig) -> None:
    """J-03"""
    rig.use()
    await asyncio.gather(*(rig.provider.asked() for _ in range(50)))
    assert len(rig.idp.asked) == 1


async def test_fetches_for_unknown_keys_have_a_cooldown(rig: Rig) -> None:
    """J-03"""
    rig.use(jwks_cooldown_s=30.0)
    assert rig.provider.may_ask("new")  # no fetch has succeeded yet
    await rig.provider.asked()
    assert not rig.provider.may_ask("rsa")  # the key is known, so a new fetch cannot help this token
    assert not rig.provider.may_ask(None)
    assert [rig.provider.may_ask("new") for _ in range(20)] == [False] * 20
    assert rig.provider.refusals.counts == {"jwks_cooldown": 20}
    rig.passed_s += 31
    assert rig.provider.may_ask("new")
    rig.idp.body = key_set("rsa", "ed")
    await rig.provider.asked()
    assert rig.taken[-1] == ["rsa", "ed"]
    assert not rig.provider.may_ask("new")


async def test_a_finished_fetch_is_not_repeated_for_a_later_waiter(rig: Rig) -> None:
    """J-03"""
    rig.use()
    assert rig.provider.may_ask("new")
    await until(lambda: rig.taken == [["rsa"]])
    await rig.provider.asked_if_due()
    assert len(rig.idp.asked) == 1


async def test_the_keys_are_refreshed_without_a_token() -> None:
    """J-01"""
    with providing() as idp:
        rig = Rig(idp)
        rig.use(jwks_refresh_s=0.05)  # less than the setting allows
        await until(lambda: len(idp.asked) > 3)
        idp.body = key_set("ed")
        await until(lambda: rig.taken[-1:] == [["ed"]])
        rig.provider.close()
    assert rig.taken == [["rsa"], ["ed"]]  # an unchanged key set is not reported again


async def test_known_keys_are_used_during_an_outage_until_they_are_too_old(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """J-04"""
    caplog.set_level("INFO")
    rig.use(jwks_keep_s=1_000.0)
    await rig.provider.asked()
    rig.idp.status = 503
    await rig.provider.asked()
    await rig.provider.asked()
    assert rig.taken == [["rsa"]]
    assert str(rig.provider.fault).startswith("the identity provider has not given its keys for ")
    rig.passed_s += 999
    await rig.provider.asked()
    assert rig.provider.keys
    rig.passed_s += 2
    await rig.provider.asked()
    assert rig.taken == [["rsa"], []]
    assert "no key of it is known" in str(rig.provider.fault)
    rig.idp.status = 200
    await rig.provider.asked()
    assert rig.taken == [["rsa"], [], ["rsa"]]
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "keys of the identity provider",
        "the identity provider does not give its keys",
        "the keys of the identity provider are too old to count",
        "the identity provider gives its keys again",
        "keys of the identity provider",
    ]


async def test_an_answer_without_usable_keys_is_a_failure(rig: Rig) -> None:
    """J-02"""
    rig.use()
    await rig.provider.asked()
    rig.idp.body = b'{"keys":[]}'
    await rig.provider.asked()
    assert (rig.taken, rig.provider.outcomes) == ([["rsa"]], {"answered": 1, "failed": 1})


async def test_after_a_failure_retries_start_early_and_back_off() -> None:
    """J-04"""
    with providing() as idp:
        rig = Rig(idp)
        idp.status = 500
        rig.use()
        await until(lambda: rig.provider.outcomes["failed"] == 1)
        rig.passed_s += 1.5
        rig.use()  # starts a new wait, on the test's clock
        await until(lambda: rig.provider.outcomes["failed"] == 2)
        rig.passed_s += 1.5
        rig.use()
        await asyncio.sleep(0)
        assert rig.provider.outcomes["failed"] == 2
        rig.passed_s += 1.0
        rig.use()
        await until(lambda: rig.provider.outcomes["failed"] == 3)
        rig.provider.close()


async def test_a_new_provider_replaces_one_that_hangs(rig: Rig) -> None:
    """J-01: keys of the old provider are dropped at once."""
    rig.use()
    await rig.provider.asked()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(request: BaseHTTPRequestHandler) -> None:
        asyncio.run_coroutine_threadsafe(over.wait(), loop).result(PATIENCE_S)

    rig.idp.reply = hang
    waiting = asyncio.create_task(rig.provider.asked())
    await until(lambda: len(rig.idp.asked) == 2)
    with providing() as other:
        other.body = key_set("ed")
        rig.use(jwks_url=other.url)
        assert rig.taken == [["rsa"], []]
        await waiting
        await rig.provider.asked()
        assert rig.taken == [["rsa"], [], ["ed"]]
        rig.use(jwks_url=None)
        assert rig.taken == [["rsa"], [], ["ed"], []]
        assert not rig.provider.may_ask("rsa")
    over.set()


async def test_a_provider_that_does_not_answer_in_time_has_failed(rig: Rig) -> None:
    """J-01: also if DNS resolution hangs and blocks its thread."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        rig.use(jwks_url=f"http://127.0.0.1:{silent.getsockname()[1]}/", jwks_timeout_s=0.1)
        await rig.provider.asked()
    assert rig.provider.outcomes == {"answered": 0, "failed": 1}
