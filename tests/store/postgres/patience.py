"""Helpers that wait for a store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from chatd.store.base import Store
from chatd.store.choose import make_store
from chatd.store.config import StoreConfig
from tests.store.rig import Answers, message

PATIENCE_S = 20.0


async def put(store: Store, *numbers: int) -> Answers:
    answers = Answers()
    for number in numbers:
        answers.put(store, message(number))
    await store.flushed()
    return answers


async def eventually(probe: Callable[[], Awaitable[bool]]) -> None:
    """Poll until `probe()`: the state is another server's, which has no event to wait for."""
    async with asyncio.timeout(PATIENCE_S):
        while not await probe():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def healed(store: Store) -> None:
    """Return once `fault` is None."""

    async def is_well() -> bool:
        return await store.fault() is None

    await eventually(is_well)


async def faulty(store: Store, words: str) -> None:
    """Return once `fault` contains `words`."""

    async def is_said() -> bool:
        return words in str(await store.fault())

    await eventually(is_said)


async def stored(store: Store, number: int) -> None:
    """Return once message `number` is stored."""

    async def is_stored() -> bool:
        return bool((await put(store, number)).stored)

    await eventually(is_stored)


async def opened(url: str, **settings: object) -> None:
    store = make_store(StoreConfig(db=url, **settings))  # type: ignore[arg-type]
    await store.open()
    await store.close()
