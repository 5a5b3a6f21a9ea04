"""A chat on a Redis master that is killed and a replica that a Sentinel promotes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.cluster.nodes import cluster
from tests.cluster.people import desk, texts, write
from tests.cluster.redis.sentinel import watched
from tests.cluster.test_tls import until_logged
from tests.interop.node import Driver
from tests.postgresql import Server


async def test_a_failover_loses_and_duplicates_nothing(postgresql: Server, driver: Driver, tmp_path: Path) -> None:
    """N-18: without a master, messages come from the database; afterwards, over the new master."""
    with watched(tmp_path) as redis, cluster(tmp_path, postgresql, nodes=0) as several:
        for node in (1, 2):
            several.start(node, "--bus", redis.url)
        for node in (1, 2):
            await until_logged(several.nodes[node], f"127.0.0.1:{redis.master}")
        await several.acquainted()
        ana, near, far = await desk(driver, several)
        promoted = asyncio.Event()
        written: list[str] = []

        async def writing() -> None:
            """Send until both nodes have found the new master, and a little longer."""
            while not promoted.is_set() or len(written) < 20:
                written.append(f"message {len(written)}")
                await write(ana, "root", written[-1])

        task = asyncio.create_task(writing())
        redis.kill(redis.master)
        await asyncio.to_thread(redis.until_promoted)
        for node in (1, 2):
            await until_logged(several.nodes[node], f"127.0.0.1:{redis.replica}")
        promoted.set()
        await task
        for admin in (near, far):
            assert await texts(admin, len(written)) == written
        await write(near, "ana", "the end")
        assert await texts(ana, 1) == ["the end"]
        for admin in (near, far):
            assert admin.heard("mensaje_recibido") == 0
