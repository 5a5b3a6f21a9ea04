"""Typing events and read receipts from another node."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.nodes import cluster
from tests.cluster.people import enter
from tests.interop.node import Driver
from tests.postgresql import Server


async def test_typing_and_read_receipts_are_sent_to_every_node(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-11"""
    with cluster(tmp_path, postgresql) as several:
        await several.acquainted()
        ana = await enter(driver, several.url(1), "ana")
        root = [await enter(driver, several.url(node), "root", "admin") for node in (1, 2)]
        await ana.ask("escribiendo", {"para": "root", "activo": True})
        for admin in root:
            assert await admin.hear("escribiendo") == [{"de": "ana", "para": "root", "activo": True}]
        [stored] = await ana.ask("mensaje_privado", {"para": "root", "mensaje": "hola"})
        for admin in root:
            assert await admin.hear("escribiendo") == [{"de": "ana", "para": "root", "activo": False}]
            assert await admin.hear("mensaje_recibido") == [{"de": "ana", "mensaje": "hola"}]
        [marked] = await root[1].ask("leido", {"con": "ana", "hasta": stored["id"]})
        assert marked == {"ok": True}
        assert await ana.hear("leido") == [{"de": "root", "hasta": stored["id"]}]
        assert await root[0].hear("leido") == [{"con": "ana", "hasta": stored["id"]}]
        await root[0].ask("quien_soy")
        assert ana.heard("leido") == ana.heard("escribiendo") == root[1].heard("leido") == 0
