"""A message that is resent to another node."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.cluster.nodes import cluster
from tests.cluster.people import enter, texts, write
from tests.interop.node import Driver
from tests.postgresql import Server


def assert_once(sent: list[str], delivered: list[str], stored: list[str]) -> None:
    """Messages of different nodes have no order (N-05)."""
    assert sorted(delivered) == sorted(sent)
    assert sorted(stored) == sorted(sent)


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_a_message_resent_to_another_node_is_stored_once(
    driver: Driver, postgresql: Server, tmp_path: Path, deliver: str
) -> None:
    """N-10"""
    with cluster(tmp_path, postgresql, "--deliver", deliver) as several:
        ana = [await enter(driver, several.url(node), "ana") for node in (1, 2)]
        root = await enter(driver, several.url(2), "root", "admin")
        said = [str(number) for number in range(20)]
        for number, text in enumerate(said):
            message = {"para": "root", "mensaje": text, "cid": f"c{number}"}
            [first] = await ana[number % 2].ask("mensaje_privado", message)
            [again] = await ana[1 - number % 2].ask("mensaje_privado", message)
            assert first["ok"] is True
            assert again == first
        await write(ana[0], "root", "the last")
        assert_once([*said, "the last"], await texts(root, len(said) + 1), several.stored())


async def test_a_message_sent_to_two_nodes_at_once_is_stored_once(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-10"""
    with cluster(tmp_path, postgresql, "--deliver", "stored") as several:
        ana = [await enter(driver, several.url(node), "ana") for node in (1, 2)]
        root = await enter(driver, several.url(2), "root", "admin")
        said = [str(number) for number in range(50)]
        for number, text in enumerate(said):
            message = {"para": "root", "mensaje": text, "cid": f"c{number}"}
            [[one], [other]] = await asyncio.gather(*(each.ask("mensaje_privado", message) for each in ana))
            assert one["ok"] is True
            assert one == other
        await write(ana[0], "root", "the last")
        assert_once([*said, "the last"], await texts(root, len(said) + 1), several.stored())
