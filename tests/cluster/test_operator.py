"""The operator's verbs on one of several nodes: they apply to all nodes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chatd import __version__
from chatd.cli import EXIT_FAILED
from chatd.cluster.core.members import LEASE_S
from tests.chat.daemon import PATIENCE_S, ROOT, daemon
from tests.cli.command import chatd, environment
from tests.cluster.nodes import Cluster, cluster
from tests.cluster.people import enter, sees, texts, write
from tests.interop.node import Driver
from tests.postgresql import Server

PATIENT = ("--node-answer-timeout", "8", "--presence", "on")
QUICK = ("--node-answer-timeout", "2", "--presence", "on")
"""For questions to a node that does not answer. All other nodes must answer in this time."""


async def operate(several: Cluster, node: int, *verb: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(several.operate, node, *verb)


async def listed(several: Cluster, node: int) -> dict[int, dict[str, Any]]:
    """The output of `chatd nodes`, by node."""
    done = await operate(several, node, "nodes", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return {one["node"]: one for one in map(json.loads, done.stdout.splitlines())}


async def until(several: Cluster, asked: int, node: int, state: str) -> dict[str, Any]:
    """Wait until `asked` reports `node` in that state."""
    async with asyncio.timeout(PATIENCE_S):
        while (found := await listed(several, asked)).get(node, {}).get("state") != state:
            pass
    return found[node]


async def test_who_and_kick_apply_to_the_sockets_of_all_nodes(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-21"""
    with cluster(tmp_path, postgresql, *PATIENT) as several:
        await several.acquainted()
        root = await enter(driver, several.url(1), "root", "admin")
        tabs = [await enter(driver, several.url(node), "ana") for node in (1, 2, 2)]
        await sees(root, {"ana": 3, "root": 1})
        for node in (1, 2):
            done = await operate(several, node, "who", "--json")
            people = [json.loads(line) for line in done.stdout.splitlines()]
            assert (done.returncode, done.stderr) == (0, "")
            assert sorted((one["user"], one["node"]) for one in people) == [
                *(("ana", 1), ("ana", 2), ("ana", 2), ("root", 1))
            ]
            assert all(one["sid"].startswith(f"{one['node']}.") for one in people)
        assert (await operate(several, 2, "who")).stdout.splitlines()[0].split()[-1] == "node"
        done = await operate(several, 1, "kick", "ana")
        assert (done.returncode, done.stdout, done.stderr) == (0, "3 connections of ana ended\n", "")
        for tab in tabs:
            assert (await tab.hear("desconexion"))[0]["code"] == "kicked"
        done = await operate(several, 2, "kick", "nobody")
        assert (done.returncode, done.stdout) == (EXIT_FAILED, "0 connections of nobody ended\n")


async def test_send_and_tail_work_on_any_node(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """N-21"""
    with cluster(tmp_path, postgresql, *PATIENT) as several:
        ana = await enter(driver, several.url(1), "ana")
        socket = str(several.admin_socket(2))
        command = [sys.executable, "-m", "chatd", "tail", "--json", "--admin-socket-file", socket]
        tail = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment(), stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE_S):
            while "an operator follows" not in await asyncio.to_thread(several.nodes[2].log.read_text):
                pass
        assert (await operate(several, 2, "send", "--to", "ana", "buenas")).returncode == 0
        assert await texts(ana, 1) == ["buenas"]
        await write(ana, "root", "hola")
        assert tail.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            assert json.loads(await tail.stdout.readline())["mensaje"] == "hola"
        tail.kill()
        await tail.wait()


async def test_a_node_that_does_not_answer_is_named(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """N-21, N-22: within the timeout, with and without its lease; a node that has ended is not reported as missing."""
    with cluster(tmp_path, postgresql, *QUICK, nodes=3) as several:
        await several.acquainted()
        root = await enter(driver, several.url(1), "root", "admin")
        await enter(driver, several.url(2), "ana")
        await sees(root, {"ana": 1, "root": 1})
        with several.nodes[2].suspended():
            for _ in range(2):
                done = await operate(several, 1, "who", "--json")
                assert (done.returncode, done.stderr) == (EXIT_FAILED, "chatd: node 2 did not answer\n")
                assert [json.loads(line)["user"] for line in done.stdout.splitlines()] == ["root"]
                assert (await until(several, 1, 2, "gone"))["silent_s"] >= LEASE_S
            done = await operate(several, 3, "kick", "root")
            assert (done.returncode, done.stderr) == (EXIT_FAILED, "chatd: node 2 did not answer\n")
            assert done.stdout == "1 connection of root ended\n"
        await until(several, 1, 2, "ready")
        assert await asyncio.to_thread(several.nodes[3].stop) == 0
        await until(several, 1, 3, "ended")
        done = await operate(several, 1, "who")
        assert (done.returncode, done.stderr) == (0, "")
        await asyncio.to_thread(several.redis.kill)
        async with asyncio.timeout(PATIENCE_S):
            while (done := await operate(several, 1, "who")).stderr != "chatd: node 2 did not answer\n":
                assert (done.returncode, done.stderr) == (0, "")
        assert done.returncode == EXIT_FAILED


async def test_chatd_nodes_lists_all_nodes(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """N-22"""
    with cluster(tmp_path, postgresql, *PATIENT) as several:
        await several.acquainted()
        root = await enter(driver, several.url(1), "root", "admin")
        for _ in range(2):
            await enter(driver, several.url(2), "ana")
        await sees(root, {"ana": 2, "root": 1})
        async with asyncio.timeout(PATIENCE_S):
            while (two := (await listed(several, 1))[2])["clients"] != 2:
                pass
        one = (await listed(several, 1))[1]
        assert (one["asked"], one["clients"], one["users"], one["silent_s"]) == (True, 1, 1, 0)
        assert (two["asked"], two["users"], two["behind"], two["version"]) == (False, 1, 0, __version__)
        assert two["silent_s"] < LEASE_S
        assert {each["position"][0] for each in (one, two)} == {"v"}
        done = await operate(several, 2, "nodes")
        head, *rows = [line.split() for line in done.stdout.splitlines()]
        assert head[:2] == ["node", "state"]
        assert [row[:3] for row in rows] == [["1", "ready", __version__], ["2*", "ready", __version__]]
        [told] = await root.ask("nodos")
        assert (told["ok"], told["nodo"]) == (True, 1)
        assert [(each["nodo"], each["estado"], each["sockets"], each["usuarios"]) for each in told["nodos"]] == [
            *((1, "ready", 1, 1), (2, "ready", 2, 1))
        ]
        ana = await enter(driver, several.url(1), "ana")
        [refused] = await ana.ask("nodos")
        assert refused["error"]["code"] == "admins_only"


@pytest.mark.parametrize("flags", [(), ("--json",)])
async def test_a_single_daemon_has_no_nodes(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """N-22"""
    db = tmp_path / "chatd.db"
    async with daemon(db) as running:
        done = await asyncio.to_thread(chatd, "nodes", "--db", db, *flags)
        assert (done.returncode, done.stdout) == (EXIT_FAILED, "")
        assert done.stderr == "chatd: this daemon is not one of several nodes: it was started without --bus\n"
        root = await running.enter("root", "admin")
        assert (await root.ask("nodos"))["error"]["code"] == "unknown_event"
