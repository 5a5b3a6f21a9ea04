"""Opens a database as a second process, and prints `open` and the greatest id, or the error."""

from __future__ import annotations

import asyncio
import sys

from chatd.base.errors import ConfigError
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore


async def main(db: str) -> None:
    store = SqliteStore(StoreConfig(db=db))
    try:
        print("open", await store.open())
    except ConfigError as error:
        print(error)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
