"""Stores rows on a file system of one megabyte before, while and after it is full, and prints the answers as JSON.

Run it in a new mount namespace (unshare -rm): it mounts over /mnt.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

from chatd.store.base import StoreError
from tests.store.rig import message, opened, rows

DISK = Path("/mnt")


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            return


async def main() -> None:
    heard: dict[str, object] = {}
    async with opened(DISK / "chatd.db", min_free_bytes=0) as store:

        async def put(name: str, number: int) -> None:
            def done(error: StoreError | None) -> None:
                heard[name] = None if error is None else error.code

            store.put(message(number, "x" * 50_000), done)
            await store.flushed()

        await put("before", 1)
        fill(DISK / "filler")
        await put("full", 2)
        heard["fault when full"] = await store.fault()
        await put("still full", 3)
        with (DISK / "filler").open("r+b") as filler:
            filler.truncate((DISK / "filler").stat().st_size - 24_576)
        await put("almost full", 3)
        heard["faults when almost full"] = [await store.fault() is not None for _ in range(5)]
        (DISK / "filler").unlink()
        heard["fault when there is room"] = await store.fault()
        await put("after", 4)
    heard["stored"] = [row.id for row in rows(DISK / "chatd.db")]
    print(json.dumps(heard))


if __name__ == "__main__":
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", DISK], check=True)
    asyncio.run(main())
