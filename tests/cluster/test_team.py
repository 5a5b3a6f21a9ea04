"""A team of admins on several nodes."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.cluster.nodes import cluster
from tests.cluster.people import enter
from tests.interop.node import Driver
from tests.postgresql import Server

TEAM = ("--admin-messages", "team", "--payload", "full", "--presence", "on")


async def test_admins_on_two_nodes_are_one_team(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """D-07, D-10: each claim is one, whatever node it is made on, and its end is told on all."""
    flags = (*TEAM, "--claim-timeout", "1", "--presence-grace", "0.1")
    with cluster(tmp_path, postgresql, *flags) as several:
        await several.acquainted()
        root = await enter(driver, several.url(1), "root", "admin")
        boss = await enter(driver, several.url(2), "boss", "admin")
        ana = await enter(driver, several.url(1), "ana")
        await ana.ask("mensaje_privado", {"para": "soporte", "mensaje": "¿hola?"})
        for admin in (root, boss):
            [case] = await admin.hear("caso")
            assert (case["con"], case["estado"]) == ("ana", "abierto")
        answers = [(await admin.ask("atender", {"con": "ana"}))[0] for admin in (boss, root)]
        assert [answer["ok"] for answer in answers] == [True, False]
        for admin in (root, boss):
            [case] = await admin.hear("caso")
            assert case["atiende"] == "boss"
        await boss.ask("mensaje_privado", {"para": "ana", "mensaje": "dime"})
        await root.hear("mensaje_recibido")
        [message] = await root.hear("mensaje_recibido")
        assert (message["de"], message["para"], message["mensaje"]) == ("boss", "ana", "dime")
        [case] = await root.hear("caso")
        assert "espera" not in case
        await boss.ask("nota", {"con": "ana", "texto": "pays late"})
        [note] = await root.hear("nota")
        assert note["texto"] == "pays late"
        several.nodes[2].stop(by=signal.SIGKILL)
        [case] = await root.hear("caso")
        assert case["estado"] == "abierto"
        [answer] = await root.ask("conversaciones", {"filtro": "libres"})
        assert [entry["con"] for entry in answer["conversaciones"]] == ["ana"]
