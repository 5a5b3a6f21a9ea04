"""Webhooks of several nodes: real processes, one database, one receiver."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.cluster.nodes import cluster
from tests.cluster.people import enter, write
from tests.interop.node import Driver
from tests.postgresql import Server
from tests.webhooks.receiver import receiving, write_config


async def test_one_node_at_a_time_does_a_hook_and_another_takes_over_when_it_is_killed(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """W-08, W-10: whichever node serves the hook, it is one of the two that are killed."""
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
