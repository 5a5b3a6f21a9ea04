"""Stores rows before, during and after a limit on file size, and prints the answers as JSON."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

from chatd.store.base import StoreError
from tests.store.rig import message, opened


async def main(db: Path) -> None:
    heard: dict[str, str | None] = {}
    async with opened(db) as store:

        async def put(name: str, number: int) -> None:
            def done(error: StoreError | None) -> None:
                heard[name] = None if error is None else error.code

            store.put(message(number, "x" * 200_000), done)
            await store.flushed()

        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        await put("before", 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        await put("within", 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await put("after", 3)
    print(json.dumps(heard))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
