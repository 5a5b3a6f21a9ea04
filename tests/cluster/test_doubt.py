"""A commit without an answer from the database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.cluster.nodes import cluster
from tests.cluster.people import desk, texts
from tests.cluster.test_faults import insist
from tests.interop.node import Driver
from tests.interop.proxy import proxy
from tests.postgresql import Server

# The result of the statement that stores a message: a row with the number 1, and its end. Other INSERTs return no row.
STORED = b"\x00\x00\x00\x04\x00\x00\x00\x01C\x00\x00\x00\x0fINSERT 0 1"
IN_DOUBT = {"para": "root", "mensaje": "in doubt", "cid": "in doubt"}


@pytest.mark.parametrize(("patience", "ok"), [("20", True), ("5", False)])
async def test_a_message_found_stored_later_is_delivered_once_on_every_node(
    driver: Driver, postgresql: Server, tmp_path: Path, patience: str, ok: bool
) -> None:
    """P-11: whether the sender still waits for the answer or has got an error.

    On a busy machine a start, or the message before, takes longer than a patience of 1 s.
    """
    async with proxy(postgresql.port) as between:
        flags = ("--deliver", "stored", "--db-timeout", patience)
        with cluster(tmp_path, postgresql, *flags, nodes=0) as several:
            url = postgresql.url(several.base)
            url = url.replace(str(postgresql.port), str(between.port))
            await asyncio.to_thread(several.start, 1, *flags, "--db", url)
            await asyncio.to_thread(several.start, 2, *flags)
            ana, near, far = await desk(driver, several)
            await insist(ana, "root", "before")
            between.lose(STORED)
            asking = asyncio.create_task(ana.ask("mensaje_privado", IN_DOUBT))
            await between.lost()
            if ok:
                between.restore()
            [answer] = await asking
            assert answer["ok"] is ok
            between.restore()
            for admin in (near, far):
                assert await texts(admin, 2) == ["before", "in doubt"]
            await insist(ana, "root", "in doubt")
            await insist(ana, "root", "after")
            for admin in (near, far):
                assert await texts(admin, 1) == ["after"]
                assert admin.heard("mensaje_recibido") == 0
            assert several.stored() == ["before", "in doubt", "after"]
