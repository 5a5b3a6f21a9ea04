"""A team of admins on several nodes."""

from __future__ import annotations

import functools
import signal
from pathlib import Path

from tests.cluster.nodes import cluster
from tests.cluster.people import enter, sees, texts, write
from tests.interop.node import Driver
from tests.notify.test_usermail import until
from tests.postgresql import Server

TEAM = ("--admin-messages", "team", "--payload", "full", "--presence", "on")


async def test_admins_on_two_nodes_are_one_team(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """D-07, D-10: a claim is unique over all nodes, and its end is sent to all."""
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


async def test_the_latest_role_of_a_user_counts_on_every_node(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """D-04: node 1 has stored the same role once before, and node 2 has stored another since."""
    with cluster(tmp_path, postgresql, *TEAM) as several:

        def is_kept(rol: str) -> bool:
            found = postgresql.sql("SELECT admin FROM chatd.nombres WHERE quien = 'ana'", several.base)
            return found == [str(int(rol == "admin"))]

        for node, rol in ((1, "user"), (2, "admin"), (1, "user")):
            ana = await enter(driver, several.url(node), "ana", rol)
            await until(functools.partial(is_kept, rol))
            await ana.close()


async def test_an_admin_of_another_node_stays_an_admin_after_it_disconnects(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """D-01: a message from an admin to another is not for all admins. A later role `user` counts here too."""
    with cluster(tmp_path, postgresql, *TEAM, "--presence-grace", "0.1") as several:
        await several.acquainted()
        root, eva = [await enter(driver, several.url(1), user, "admin") for user in ("root", "eva")]
        for rol, text in (("admin", "for boss alone"), ("user", "for the team")):
            boss = await enter(driver, several.url(2), "boss", rol)
            await sees(root, {"root": 1, "eva": 1, "boss": 1})
            await boss.close()
            await sees(root, {"root": 1, "eva": 1})
            await write(root, "boss", text)
        assert await texts(eva, 1) == ["for the team"]
