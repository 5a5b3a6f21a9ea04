"""Mail to users of several nodes: real processes, one database, one mail server."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.cluster.nodes import cluster
from tests.cluster.people import enter, write
from tests.interop.node import Driver
from tests.notify.mailserver import receiving_mail
from tests.notify.test_usermail import until, write_config
from tests.postgresql import Server

ANA, EVA, PIA, ZOE = (f"{name}@example.com" for name in ("ana", "eva", "pia", "zoe"))


async def test_one_node_mails_users_and_after_its_kill_another_takes_over(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """M-10, M-11: both nodes are killed in turn, so the sending one is among them. Zoe opts out on node 2."""

    async with receiving_mail() as server:
        flags = ("--config", str(write_config(tmp_path, server.port)), "--email-claim", "user")
        with cluster(tmp_path, postgresql, *flags) as several:

            def is_told(user: str) -> bool:
                """Before this is stored, a sent mail may be sent again."""
                sql = f"SELECT quien FROM chatd.correos WHERE hasta > 0 AND quien = '{user}'"
                return postgresql.sql(sql, several.base) == [user]

            root, other = [await enter(driver, several.url(node), "root", "admin") for node in (1, 2)]
            for node, user in ((1, ANA), (2, EVA), (1, PIA)):
                await enter(driver, several.url(node), user)
            zoe = await enter(driver, several.url(2), ZOE)
            assert await zoe.ask("avisos", {"correo": False}) == [{"ok": True, "correo": False}]
            await write(root, ZOE, "a secret")
            await write(root, ANA, "a secret")
            await until(lambda: is_told(ANA))
            several.nodes[1].stop(by=signal.SIGKILL)
            await write(other, EVA, "a secret")
            await until(lambda: is_told(EVA))
            several.nodes[1].start()
            several.nodes[2].stop(by=signal.SIGKILL)
            await write(await enter(driver, several.url(1), "root", "admin"), PIA, "a secret")
            await until(lambda: is_told(PIA))
    assert server.recipients == [[ANA], [EVA], [PIA]]
