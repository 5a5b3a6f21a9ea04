"""A user and an admin on different nodes behind HAProxy go on chatting while Redis and a node are killed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser

from chatd import __version__
from tests.cli.test_readme import commands
from tests.cluster.front import front
from tests.cluster.nodes import Cluster, cluster
from tests.cluster.people import enter
from tests.interop.chat import token
from tests.interop.node import node_executable, running_driver
from tests.postgresql import Server
from tests.web.chromium.test_two_windows import AWAY
from tests.web.chromium.window import Window

FLAGS: Final = ("--console", "--payload", "full", "--echo", "on", "--recovery", "on", "--trusted-proxy", "127.0.0.1")
NODES: Final = (1, 2)


@asynccontextmanager
async def window(browser: Browser, url: str, path: str, user: str, rol: str) -> AsyncIterator[Window]:
    opened = await Window.open(browser, width=1180, height=760, phone=False, dark=False, language="en-US")
    try:
        await opened.trust_certificates()
        opened.allowed.update((*AWAY, "status of 50"))
        await opened.cookie(url, "token", token(user, rol))
        await opened.go(url + path)
        yield opened
        assert not opened.faults
    finally:
        await opened.close()


def sessions(several: Cluster) -> dict[int, int]:
    """The number of sessions that each node has opened."""
    return {node: server.log.read_text().count("session open") for node, server in several.nodes.items()}


async def talk(ana: Window, admin: Window, word: str) -> None:
    """Exchange a question and an answer."""
    await ana.say(f"{word}: are you there?")
    await admin.see("#messages .bubble", f"{word}: are you there?")
    await admin.say(f"{word}: I am")
    await ana.see(".message:not(.mine) .bubble", f"{word}: I am")


async def test_two_windows_on_two_nodes_go_on_chatting_after_kills(
    browser: Browser, postgresql: Server, tmp_path: Path
) -> None:
    """N-05, N-06, N-07: the nodes are started by README.md's commands, behind its HAProxy configuration."""
    with cluster(tmp_path, postgresql, nodes=0) as several:
        lines = [line for line in commands("## Several nodes") if line.startswith("chatd serve")]
        for node, line in zip(NODES, lines, strict=True):
            await asyncio.to_thread(several.start_as_told, line, node, *FLAGS)
        ports = {node: several.nodes[node].port for node in NODES}
        async with (
            front(tmp_path, ports, "/socket.io/ /chatd/") as url,
            window(browser, url, "/chatd/", "root", "admin") as admin,
        ):
            await admin.see("#whoami", "root")
            [of_admin] = [node for node, opened in sessions(several).items() if opened]
            async with window(browser, url, "/chatd/demo", "ana", "user") as ana:
                await ana.click("chatd-widget button, button")
                await ana.see("#messages li:not(.notLoaded)")
                [of_ana] = set(NODES) - {of_admin}
                while not sessions(several)[of_ana]:  # the balancer has put both on one node
                    await ana.reload()
                    await ana.see("#messages li:not(.notLoaded)")
                await ana.say("hola")
                await admin.click("#list a", "ana")
                await admin.see("#messages .bubble", "hola")
                await talk(ana, admin, "both nodes")
                await asyncio.to_thread(several.redis.kill)
                await talk(ana, admin, "no Redis")
                await asyncio.to_thread(several.redis.start)
                await talk(ana, admin, "Redis again")
                await asyncio.to_thread(several.nodes[of_ana].stop, signal.SIGKILL)
                await talk(ana, admin, "one node")
                words = [f"{word}: {said}" for word in ("both nodes", "no Redis", "Redis again", "one node")
                         for said in ("are you there?", "I am")]  # fmt: skip
                for each in (ana, admin):
                    assert await each.texts(".bubble") == ["hola", *words]


async def test_the_live_view_has_the_sums_and_each_node(browser: Browser, postgresql: Server, tmp_path: Path) -> None:
    """N-22"""
    with cluster(tmp_path, postgresql, *FLAGS, "--presence", "on") as several:
        async with (
            running_driver(node_executable(), "4.8") as driver,
            window(browser, several.url(1), "/chatd/", "root", "admin") as admin,
        ):
            for node in (1, 2, 2):
                await enter(driver, several.url(node), "ana")
            await admin.see("#whoami", "root")
            await admin.click("#tab-live")
            await admin.see("#live-sockets", "4")
            await admin.see("#live-people", "2")
            await admin.see("#nodes-rows tr:nth-child(1)", f"1ready{__version__}220asked")
            await admin.see("#nodes-rows tr:nth-child(2)", f"2ready{__version__}2100.")
            assert await admin.nameless_controls() == []
            assert await admin.faint_texts() == []
            await asyncio.to_thread(several.nodes[2].stop)
            await admin.see("#nodes-rows tr:nth-child(2)", "ended")
            await admin.see("#live-sockets", "2")
