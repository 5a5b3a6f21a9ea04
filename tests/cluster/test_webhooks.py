"""Webhooks of several nodes: real processes, one database, one receiver."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.cluster.nodes import cluster
from tests.cluster.people import enter, write
from tests.interop.node import Driver
from tests.postgresql import Server
from tests.webhooks.receiver import PATIENCE_S, receiving, write_config


async def test_one_node_serves_a_webhook_and_after_its_kill_another_takes_over(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """W-08, W-10: each of the two nodes is killed, so the node that serves the webhook is one of them."""
    more = 'private_addresses = true\nevents = ["mensaje", "sin_respuesta"]\nunattended = 0'
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, more)
        with cluster(tmp_path, postgresql, "--config", str(config)) as several:
            people = {node: await enter(driver, several.url(node), f"user{node}") for node in (1, 2)}
            for node, person in people.items():
                await write(person, "root", *(f"{node} {number}" for number in range(10)))
            await receiver.until(lambda: len(receiver.texts()) == 20)
            await receiver.until(lambda: len(receiver.taken) == 22)
            assert len(receiver.tried) == len(set(receiver.tried)) == 22

            for killed, left in ((1, 2), (2, 1)):
                several.nodes[killed].stop(by=signal.SIGKILL)
                await write(people[left], "root", *(f"{left} without {killed}, {number}" for number in range(10)))
                await receiver.until(lambda left=left: f"{left} without {3 - left}, 9" in receiver.texts())  # type: ignore[misc]
                several.nodes[killed].start()
    for node in (1, 2):
        assert receiver.texts(f"user{node}") == [
            *(f"{node} {number}" for number in range(10)),
            *(f"{node} without {3 - node}, {number}" for number in range(10)),
        ]
    waits = [each["data"]["con"] for each in receiver.taken if each["type"] == "sin_respuesta"]
    assert set(waits) == {"user1", "user2"}


async def test_one_node_sends_the_presence_of_all_nodes(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """W-16: node 1 serves the webhook, because it started first, and is stopped."""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, 'private_addresses = true\nevents = ["presencia"]')

        def told() -> list[tuple[str, bool]]:
            return [(each["data"]["user"], each["data"]["en_linea"]) for each in receiver.taken]

        flags = ("--config", str(config), "--presence", "on", "--presence-grace", "0.2")
        with cluster(tmp_path, postgresql, *flags) as several:
            for node in (1, 2):
                await enter(driver, several.url(node), f"user{node}")
            await receiver.until(lambda: len(told()) == 2)
            async with asyncio.timeout(PATIENCE_S):
                sql = "SELECT quien FROM chatd.ganchos_presentes"
                while len(postgresql.sql(sql, several.base)) < 2:  # noqa: ASYNC110 - a table rings no bell
                    await asyncio.sleep(0.01)
            several.nodes[1].stop()
            await receiver.until(lambda: len(told()) == 3)
            await enter(driver, several.url(2), "guest")
            await receiver.until(lambda: len(told()) == 4)
    assert set(told()[:2]) == {("user1", True), ("user2", True)}
    assert told()[2:] == [("user1", False), ("guest", True)]
