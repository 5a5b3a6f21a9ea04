"""Faults of a node and of the database under load."""

from __future__ import annotations

import asyncio
import signal
import threading
from pathlib import Path

import pytest

from chatd.daemon.app import EXIT_DISPLACED
from tests.cluster.nodes import cluster
from tests.cluster.people import desk, enter, texts, write
from tests.interop.node import Driver, JsSocket
from tests.postgresql import Server, server


async def insist(socket: JsSocket, para: str, text: str) -> None:
    """Send a message until it is stored."""
    while True:
        [answer] = await socket.ask("mensaje_privado", {"para": para, "mensaje": text, "cid": text})
        if answer["ok"]:
            return
        assert answer["error"]["code"] in {"store_unavailable", "store_rejected"}, answer


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_a_node_that_was_suspended_catches_up(
    driver: Driver, postgresql: Server, tmp_path: Path, deliver: str
) -> None:
    """N-07: for longer than a lease, so that other nodes have taken it for dead."""
    with cluster(tmp_path, postgresql, "--deliver", deliver) as several:
        ana, near, far = await desk(driver, several)
        awake = threading.Timer(4.0, several.nodes[2].send, [signal.SIGCONT])
        several.nodes[2].send(signal.SIGSTOP)
        awake.start()
        said: list[str] = []
        while awake.is_alive():
            said.append(str(len(said)))
            await write(ana, "root", said[-1])
        await write(ana, "root", "the last")
        for admin in (near, far):
            assert await texts(admin, len(said) + 1) == [*said, "the last"]
            assert admin.heard("mensaje_recibido") == 0


async def test_a_restart_of_the_database_loses_and_duplicates_no_message(driver: Driver, tmp_path: Path) -> None:
    """N-05, N-07, N-10"""
    with server() as postgresql, cluster(tmp_path, postgresql, "--deliver", "stored") as several:
        writers = [await enter(driver, several.url(node), f"user{node}") for node in (1, 2)]
        root = [await enter(driver, several.url(node), "root", "admin") for node in (1, 2)]
        said = [[f"{number}-{each}" for each in range(100)] for number in (1, 2)]

        async def write_all(number: int) -> None:
            for text in said[number]:
                await insist(writers[number], "root", text)

        writing = [asyncio.create_task(write_all(number)) for number in (0, 1)]
        assert len(await texts(root[1], 20)) == 20
        for how in (signal.SIGINT, signal.SIGQUIT):
            await asyncio.to_thread(postgresql.stop, how)
            await asyncio.to_thread(postgresql.start)
            await texts(root[1], 20)
        await asyncio.gather(*writing)
        stored = several.stored()
        assert sorted(stored) == sorted([*said[0], *said[1]])
        first = await texts(root[0], 200)
        for number in (0, 1):
            assert [text for text in first if text.startswith(f"{number + 1}-")] == said[number]
        assert len(await texts(root[1], 140)) == 140


async def test_a_process_ends_if_another_has_had_its_number(postgresql: Server, tmp_path: Path) -> None:
    """N-03"""
    with cluster(tmp_path, postgresql, nodes=1) as several:
        first = several.nodes[1].process
        assert first is not None
        first.send_signal(signal.SIGSTOP)
        sessions = "pg_stat_activity WHERE application_name = 'chatd' AND datname = current_database()"
        postgresql.sql(f"SELECT pg_terminate_backend(pid) FROM {sessions}", several.base)
        await asyncio.to_thread(several.start, 1, "--no-admin-socket")
        first.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(first.wait, 30) == EXIT_DISPLACED
