"""Stores rows in a database on a file system of 32 MB before, while and after it is full; prints the answers as JSON.

To be run by root in a mount namespace of its own (unshare -m): it mounts over /mnt. The server's log of what it writes
lies elsewhere: where that disk is full, a server stops.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
from pathlib import Path

from chatd.store.base import MessageId, StoreError
from tests.postgresql import server
from tests.store.full_disk import fill
from tests.store.rig import PostgresBase, message, rows, store_on

DISK = Path("/mnt")


async def answers(base: PostgresBase) -> dict[str, object]:
    heard: dict[str, object] = {}
    dice = random.Random(1)
    async with store_on(base) as store:

        async def put(name: str, number: int) -> None:
            def done(error: StoreError | None) -> None:
                heard[name] = None if error is None else error.code

            store.put(message(MessageId(number), dice.randbytes(200_000).hex()), done)
            await store.flushed()

        await put("before", 1)
        fill(DISK / "filler")
        await put("full", 2)
        heard["fault when full"] = await store.fault()
        await put("still full", 3)
        (DISK / "filler").unlink()
        heard["fault when there is room"] = await store.fault()
        await put("after", 4)
    return heard


def main() -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", DISK], check=True)
    with server() as running:
        space = DISK / "space"
        space.mkdir()
        shutil.chown(space, running.data.owner())
        running.sql(f"CREATE TABLESPACE small LOCATION '{space}'")
        base = PostgresBase(running, running.new_base("TABLESPACE small"))
        heard = asyncio.run(answers(base))
        print(json.dumps({**heard, "stored": [row.id for row in rows(base)]}))


if __name__ == "__main__":
    main()
