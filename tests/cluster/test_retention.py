"""Retention with several nodes."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path

import pytest

from chatd.chat.messages.ids import EPOCH_MS
from tests.cluster.nodes import Cluster, cluster
from tests.postgresql import Server

OLD = 10_000
DAYS = 30
LONG_S = 40.0

IN_THE_WAY = f"""
    UPDATE chatd.mensajes SET mensaje = 'in the way'
    WHERE id = (SELECT id FROM chatd.mensajes ORDER BY id OFFSET {OLD // 2} LIMIT 1)
"""
"""A locked row that cannot be deleted: so the node is always killed in the middle of its sweep."""

PATIENT = ("--busy-timeout", "60", "--db-timeout", "20")

_SWEEPERS = """
    SELECT node.objid::bigint - 1 FROM pg_locks AS sweep JOIN pg_locks AS node USING (pid, locktype, classid, database)
    WHERE sweep.locktype = 'advisory' AND sweep.objid = 1025 AND sweep.granted AND node.objid BETWEEN 1 AND 1024
"""


def fill(several: Cluster) -> None:
    """Insert messages of two months ago, one a second, and one of now."""
    old_ms = round(time.time() * 1000) - 2 * DAYS * 86_400_000
    row = f"SELECT (ms - {EPOCH_MS}) << 22 | (1 << 12), 'ana', 'root', 'old', ms, 1"
    several.postgresql.sql(
        f"""
        INSERT INTO chatd.mensajes (id, de, para, mensaje, fecha, supervisado) {row}
        FROM generate_series({old_ms}, {old_ms} + {OLD - 1}::bigint * 1000, 1000) AS ms;
        INSERT INTO chatd.mensajes (id, de, para, mensaje, fecha, supervisado) {row}
        FROM (SELECT {round(time.time() * 1000)}) AS of (ms)
        """,
        several.base,
    )


def left(several: Cluster) -> int:
    [count] = several.postgresql.sql("SELECT count(*) FROM chatd.mensajes", several.base)
    return int(count)


def deleted(several: Cluster, node: int) -> int:
    """The number of deleted messages in the node's log."""
    lines = [json.loads(line) for line in several.nodes[node].log.read_text().splitlines()]
    return sum(int(line["messages"]) for line in lines if line.get("message") == "old messages deleted")


def sweeper(several: Cluster, down_to: int) -> int:
    """The node that deletes, once at most `down_to` messages are left."""
    while True:
        nodes = several.postgresql.sql(_SWEEPERS, several.base)
        assert len(nodes) <= 1
        if nodes and left(several) <= down_to:
            return int(nodes[0])


@pytest.mark.timeout(120)
async def test_one_node_deletes_and_after_its_kill_another_continues(postgresql: Server, tmp_path: Path) -> None:
    """N-14: within ten seconds."""
    with cluster(tmp_path, postgresql) as several:
        several.close()
        fill(several)
        with postgresql.uncommitted(IN_THE_WAY, several.base):
            flags = ("--retention", str(DAYS), *PATIENT)
            await asyncio.gather(*(asyncio.to_thread(several.start, node, *flags) for node in (1, 2)))
            first = sweeper(several, OLD - 500)
            await asyncio.to_thread(several.nodes[first].stop, signal.SIGKILL)
        other = 3 - first
        async with asyncio.timeout(LONG_S):
            while deleted(several, other) < OLD // 2:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)
        assert left(several) == 1
        assert deleted(several, other) + deleted(several, first) <= OLD
