"""A daemon on PostgreSQL: the database server restarts, and the daemon is killed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chat.daemon import PATIENCE_S, complaint, daemon
from tests.durability.senders import Book, Sender
from tests.durability.test_kill import check, killed_under_load
from tests.ops.operator import Operator, operated
from tests.postgresql import Server, server
from tests.store.rig import PostgresBase, rows


@pytest.fixture
def own_server() -> Iterator[Server]:
    with server() as running:
        yield running


async def ready(operator: Operator) -> None:
    """Wait until /readyz answers 200."""
    async with asyncio.timeout(PATIENCE_S):
        while (await operator.get("/readyz")).status != 200:  # noqa: ASYNC110 - it is polled, as by a load balancer
            await asyncio.sleep(0.05)


async def test_a_daemon_survives_an_outage_of_its_database_server(own_server: Server, tmp_path: Path) -> None:
    """P-04, C-17"""
    base = PostgresBase(own_server)
    async with operated(base, "--admin-socket-file", str(tmp_path / "admin")) as operator:
        ana = await operator.chatd.enter("ana")
        assert (await ana.write("root", "before"))["ok"] is True
        for _ in range(2):
            await asyncio.to_thread(own_server.stop)
            answer = await ana.write("root", "meanwhile")
            assert answer["error"]["code"] == "store_unavailable"
            said = await operator.get("/readyz")
            assert (said.status, "the database cannot be used" in said.text) == (503, True)
            assert (await operator.get("/healthz")).status == 200
            await asyncio.to_thread(own_server.start)
            await ready(operator)
            assert (await ana.write("root", "after"))["ok"] is True
        assert (await operator.metrics())("chatd_store_failures_total") == 2
        operator.chatd.terminate()
        assert await operator.chatd.ended() == 0
    assert Counter(row.mensaje for row in rows(base)) == {"before": 1, "after": 2}
    await asyncio.to_thread(own_server.stop)
    code, said_last = await complaint("--db", str(base), "--db-timeout", "0.2", "--no-admin-socket")
    assert (code, "cannot use the database" in said_last) == (1, True)


async def test_acknowledged_messages_survive_a_kill_of_the_daemon_or_of_its_server(
    own_server: Server, seed: int
) -> None:
    """P-04, P-05, C-15, C-18"""
    dice, book, base = random.Random(seed), Book(), PostgresBase(own_server)
    senders = [Sender(f"user-{number}", book) for number in range(6)]
    for _ in range(2):
        async with daemon(base, "--no-admin-socket") as chatd:
            await killed_under_load(chatd, senders, dice, book)
        check(base, book)
    async with daemon(base, "--no-admin-socket") as chatd:
        running = [asyncio.create_task(sender.run(chatd.enter)) for sender in senders]
        await book.more_acknowledged(50)
        await asyncio.to_thread(own_server.crash)
        await asyncio.to_thread(own_server.start)
        await book.more_acknowledged(50)
        chatd.process.kill()
        await chatd.process.wait()
        await asyncio.gather(*running)
    async with daemon(base, "--no-admin-socket") as chatd:
        await asyncio.gather(*(sender.settle(chatd.enter) for sender in senders))
    check(base, book)
    assert book.acknowledged.keys() == book.sent, "every resent message is acknowledged in the end"
    assert set(book.refused) <= {"store_unavailable"}
