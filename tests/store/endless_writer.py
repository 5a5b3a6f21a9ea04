"""Stores rows without end, many at a time, and prints the id of each row that is acknowledged as durable."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from chatd.store.base import StoreError
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore
from tests.store.rig import message


async def main(db: str) -> None:
    store = SqliteStore(StoreConfig(db=db))
    numbers = itertools.count((await store.open() or 0) + 1)

    def put() -> None:
        number = next(numbers)

        def done(error: StoreError | None) -> None:
            if error is None:
                os.write(1, b"%d\n" % number)
            put()

        store.put(message(number, "x" * (number % 5000)), done)

    for _ in range(200):
        put()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
