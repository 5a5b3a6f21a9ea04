"""Two daemons are one chat: real processes, real databases, real clients on different nodes."""

from __future__ import annotations

import asyncio
import signal
import sys
from os import EX_CONFIG
from pathlib import Path

import pytest

from bench.ports import free_port
from chatd.cluster.core.members import LEASE_S
from tests.cluster.nodes import Cluster, cluster
from tests.cluster.people import desk, enter, look, metrics, texts, write
from tests.conformance.wire import TIMEOUT_S
from tests.interop.node import Driver, JsSocket
from tests.postgresql import Server

NOT_YET = "this node has not heard yet how far the others are, or is behind\n"


async def start(command: list[str]) -> tuple[int | None, str]:
    """The exit code and the output of a daemon that does not start."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    return process.returncode, said.decode()


async def waits(command: list[str]) -> str:
    """The reason for which a daemon waits at its start."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(TIMEOUT_S):
        while "a start waits for the database" not in said:
            said = (await process.stderr.readline()).decode()
            assert said, "the daemon ended"
    process.kill()
    await process.communicate()
    return said


def numbered(first: int, count: int) -> list[str]:
    return [str(number) for number in range(first, first + count)]


async def say_to_all(several: Cluster, speaker: JsSocket, hearers: list[JsSocket], said: list[str]) -> None:
    await write(speaker, "root", *said)
    for hearer in hearers:
        assert await texts(hearer, len(said)) == said


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_a_message_reaches_the_recipients_of_every_node_once(
    driver: Driver, postgresql: Server, tmp_path: Path, deliver: str
) -> None:
    """N-05"""
    with cluster(tmp_path, postgresql, "--deliver", deliver) as several:
        ana, near, far = await desk(driver, several)
        eva = await enter(driver, several.url(2), "eva")
        said = numbered(0, 50)
        await say_to_all(several, ana, [near, far], said)
        await write(far, "ana", "hola")
        assert await texts(ana, 1) == ["hola"]
        await write(eva, "root", "the last")
        for admin in (near, far):
            assert await texts(admin, 1) == ["the last"]
            assert admin.heard("mensaje_recibido") == 0
        assert eva.heard("mensaje_recibido") == 0
        assert several.stored() == [*said, "hola", "the last"]


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_an_outage_of_redis_loses_and_duplicates_nothing(
    driver: Driver, postgresql: Server, tmp_path: Path, deliver: str
) -> None:
    """N-07: first from the database, then over the bus again."""
    with cluster(tmp_path, postgresql, "--deliver", deliver) as several:
        ana = await enter(driver, several.url(1), "ana")
        eva = await enter(driver, several.url(2), "eva")
        near = await enter(driver, several.url(1), "root", "admin")
        far = await enter(driver, several.url(2), "root", "admin")
        await say_to_all(several, ana, [near, far], numbered(0, 3))
        await asyncio.to_thread(several.redis.kill)
        await say_to_all(several, ana, [near, far], numbered(3, 20))
        await say_to_all(several, eva, [far, near], numbered(23, 20))
        await asyncio.to_thread(several.redis.start)
        for number in range(43, 83):
            await say_to_all(several, ana if number % 2 else eva, [near, far], [str(number)])
        for admin in (near, far):
            assert admin.heard("mensaje_recibido") == 0
        assert several.stored() == numbered(0, 83)


async def test_after_the_kill_of_a_node_others_serve_and_it_can_restart(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-03"""
    with cluster(tmp_path, postgresql) as several:
        ana, near, far = await desk(driver, several)
        await say_to_all(several, ana, [near, far], ["before"])
        await asyncio.to_thread(several.nodes[2].stop, signal.SIGKILL)
        await say_to_all(several, ana, [near], ["without"])
        await asyncio.to_thread(several.nodes[2].start)
        await far.hear(":disconnect")
        await far.hear(":connect")
        await say_to_all(several, ana, [near, far], ["after"])
        await write(far, "ana", "here again")
        assert await texts(ana, 1) == ["here again"]
        assert far.heard("mensaje_recibido") == 0
        assert several.stored() == ["before", "without", "after", "here again"]


async def test_a_daemon_without_a_bus_and_nodes_wait_for_each_other(postgresql: Server, tmp_path: Path) -> None:
    """N-03"""
    with cluster(tmp_path, postgresql, nodes=1) as several:
        assert "it is in use by another chatd" in await waits(several.command(1, 2, bus=False))
        several.close()
        several.start(2, bus=False)
        assert "it is in use by a chatd without --bus" in await waits(several.command(1, 1))


@pytest.mark.parametrize(
    ("user", "redis"),
    [("", ("--requirepass", "tel aviv")), ("chat", ("--user", "chat", "on", ">tel_aviv", "&*", "+@all"))],
)
async def test_the_password_for_redis_is_read_from_a_file(
    driver: Driver, postgresql: Server, tmp_path: Path, user: str, redis: tuple[str, ...]
) -> None:
    """N-02"""
    password = tmp_path / "password"
    password.write_text("tel_aviv\n" if user else "tel aviv\n")
    flags = ("--bus-password-file", str(password))
    with cluster(tmp_path, postgresql, *flags, redis=redis, user=user) as several:
        ana = await enter(driver, several.url(1), "ana")
        root = await enter(driver, several.url(2), "root", "admin")
        await say_to_all(several, ana, [root], ["hola"])
        assert "bus up" in several.nodes[1].log.read_text()


async def test_without_hiredis_a_node_names_the_package(postgresql: Server, tmp_path: Path) -> None:
    """N-01"""
    with cluster(tmp_path, postgresql, nodes=0) as several:
        _, *command = several.command(1, 1)
        hide = "import runpy, sys; sys.meta_path.insert(0, type('', (), {'find_spec': staticmethod(find)}))"
        find = "def find(name, path=None, target=None):\n  if name == 'hiredis': raise ModuleNotFoundError(name)"
        run = f"{find}\n{hide}\nsys.argv = ['chatd', *sys.argv[1:]]\nrunpy.run_module('chatd', run_name='__main__')"
        code, said = await start([sys.executable, "-c", run, *command[2:]])
        assert (code, "pip install 'chatd[cluster]'" in said) == (EX_CONFIG, True), said


async def test_a_second_process_with_the_same_number_waits(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """N-03"""
    with cluster(tmp_path, postgresql, nodes=1) as several:
        assert "node 1 runs already: give each its own --node" in await waits(several.command(1, 1))
        ana = await enter(driver, several.url(1), "ana")
        await write(ana, "root", "the first one goes on")


async def test_a_node_is_ready_when_it_has_caught_up(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """N-09: it waits for a suspended node until its lease expires."""
    port = free_port()
    with cluster(tmp_path, postgresql, nodes=2) as several:
        ana = await enter(driver, several.url(2), "ana")
        await write(ana, "root", "hola")
        with several.nodes[2].suspended():
            await asyncio.to_thread(several.nodes[1].stop)
            await asyncio.to_thread(several.start, 1, "--internal", f"127.0.0.1:{port}")
            while (await metrics(port))("chatd_bus_up") != 1:
                pass
            assert await look(port, "/readyz") == (503, NOT_YET)
            while (found := await look(port, "/readyz"))[0] != 200:
                assert found == (503, NOT_YET)
            assert (await metrics(port))("chatd_nodes") == 1
        while (await metrics(port))("chatd_nodes") != 2:
            pass
        before = await metrics(port)
        assert before("chatd_bus_up") == 1
        await asyncio.to_thread(several.redis.kill)
        while (after := await metrics(port))("chatd_bus_up") != 0:
            pass
        assert after("chatd_bus_outages_total") == before("chatd_bus_outages_total") + 1
        while (found := await look(port, "/readyz"))[0] != 200:
            assert found[1].startswith("Redis is away")


async def test_a_node_that_is_behind_is_not_ready_and_reports_how_far(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-09, N-22: it lacks a message whose commit waits, for another row with its `cid`."""
    port = free_port()
    rival = "INSERT INTO chatd.mensajes VALUES (1, 'ana', 'root', 'rival', 0, 1, 'one')"
    with cluster(tmp_path, postgresql, "--deliver", "at_once", "--busy-timeout", "60", nodes=1) as several:
        await asyncio.to_thread(several.start, 2, "--internal", f"127.0.0.1:{port}")
        ana = await enter(driver, several.url(1), "ana")
        near, far = [await enter(driver, several.url(node), "root", "admin") for node in (1, 2)]
        while await look(port, "/readyz") != (200, "ready\n"):
            pass
        with postgresql.uncommitted(rival, several.base):
            await asyncio.to_thread(several.redis.kill)
            said = {"para": "root", "mensaje": "hola", "cid": "one"}
            sending = asyncio.create_task(ana.ask("mensaje_privado", said))
            assert await texts(near, 1) == ["hola"]
            await asyncio.to_thread(several.redis.start)
            while (seen := await metrics(port))("chatd_bus_up") != 1 or not seen("chatd_node_missing", node="1"):
                assert far.heard("mensaje_recibido") == 0
            assert seen("chatd_node_missing", node="1") == seen("chatd_nodes_behind") == 1
            assert 0 <= seen("chatd_node_silent_seconds", node="1") < LEASE_S
            assert seen("chatd_bus_connects_total") == seen("chatd_bus_outages_total") + 1 >= 2
            assert await look(port, "/readyz") == (503, NOT_YET)
            while [
                (each["estado"], each["atraso"]) for each in (await near.ask("nodos"))[0]["nodos"] if each["nodo"] == 2
            ] != [("behind", 1)]:
                pass
        assert (await sending)[0]["ok"] is True
        assert await texts(far, 1) == ["hola"]
        while await look(port, "/readyz") != (200, "ready\n"):
            pass
        assert (await metrics(port))("chatd_node_missing", node="1") == 0
