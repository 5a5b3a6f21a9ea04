"""Presence over all nodes."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.cluster.nodes import cluster
from tests.cluster.people import enter, here, sees, texts
from tests.conformance.wire import TIMEOUT_S
from tests.interop.node import Driver, JsSocket
from tests.postgresql import Server

WATCHED = ("--presence", "on", "--presence-grace", "0.2")


async def hears(admin: JsSocket, user: str, *, here: bool) -> None:
    """Wait for the presence event of `user`."""
    while True:
        [told] = await admin.hear("presencia")
        if (told["user"], told["en_linea"]) == (user, here):
            return


async def test_admins_get_presence_of_the_users_of_every_node_until_it_dies(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-12"""
    with cluster(tmp_path, postgresql, *WATCHED) as several:
        root = await enter(driver, several.url(2), "root", "admin")
        ana = await enter(driver, several.url(1), "ana")
        twice = await enter(driver, several.url(2), "ana")
        await enter(driver, several.url(1), "eva")
        await hears(root, "ana", here=True)
        await hears(root, "eva", here=True)
        await sees(root, {"ana": 2, "eva": 1, "root": 1})
        thrice = await enter(driver, several.url(1), "ana")
        await sees(root, {"ana": 3, "eva": 1, "root": 1})
        await thrice.close()
        await sees(root, {"ana": 2, "eva": 1, "root": 1})
        await ana.close()
        await twice.close()
        await hears(root, "ana", here=False)
        assert await here(root) == {"eva": 1, "root": 1}
        await asyncio.to_thread(several.nodes[1].stop, signal.SIGKILL)
        await hears(root, "eva", here=False)
        assert await here(root) == {"root": 1}
        await asyncio.to_thread(several.nodes[1].start)
        await hears(root, "eva", here=True)


async def test_presence_changes_during_an_outage_of_redis_are_sent_afterwards(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-12"""
    with cluster(tmp_path, postgresql, *WATCHED) as several:
        root = await enter(driver, several.url(2), "root", "admin")
        ana = await enter(driver, several.url(1), "ana")
        await hears(root, "ana", here=True)
        await asyncio.to_thread(several.redis.kill)
        await ana.close()
        await enter(driver, several.url(1), "eva")
        await asyncio.to_thread(several.redis.start)
        await hears(root, "eva", here=True)
        while "ana" in await here(root):
            pass
        assert await here(root) == {"eva": 1, "root": 1}


@pytest.mark.parametrize("presence", ["on", "off"])
async def test_the_role_of_an_addressee_on_another_node_is_known(
    driver: Driver, postgresql: Server, tmp_path: Path, presence: str
) -> None:
    """N-12: `admin_messages = "all"` needs the roles of addressees on all nodes."""
    with cluster(tmp_path, postgresql, "--presence", presence, "--admin-messages", "all") as several:
        await several.acquainted()
        third = await enter(driver, several.url(1), "third", "admin")
        boss = await enter(driver, several.url(1), "boss", "admin")
        root = await enter(driver, several.url(2), "root", "admin")
        ana = await enter(driver, several.url(2), "ana")
        async with asyncio.timeout(TIMEOUT_S):
            while (await asyncio.to_thread(several.operate, 1, "nodes", "--json")).stdout.count('"clients": 2') < 2:
                pass
        await boss.ask("mensaje_privado", {"para": "ana", "mensaje": "for ana alone"})
        assert await texts(ana, 1) == ["for ana alone"]
        await boss.ask("mensaje_privado", {"para": "root", "mensaje": "for all of us"})
        for admin in (third, root):
            assert await texts(admin, 1) == ["for all of us"]
