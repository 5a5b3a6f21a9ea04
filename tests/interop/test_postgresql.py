"""A user and an admin chat through a daemon that stores messages in PostgreSQL: real server, real clients."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.interop.chat import token, with_cookie
from tests.interop.conftest import Client, running_chat
from tests.postgresql import Server


@pytest.mark.parametrize("release", ["4.8"])
@pytest.mark.parametrize("transports", ["default"])
async def test_acknowledged_messages_are_in_the_database_and_in_history_after_a_restart(
    client: Client, postgresql: Server, tmp_path: Path
) -> None:
    """P-01"""
    base = postgresql.clean_base()
    flags = ("--db", postgresql.url(base), "--admin-socket-file", str(tmp_path / "admin"))
    with running_chat(tmp_path, *flags) as chat:
        ana = await client.connected(chat.url, **with_cookie(token("ana")))
        root = await client.connected(chat.url, **with_cookie(token("root", "admin")))
        [stored] = await ana.ask("mensaje_privado", {"para": "root", "mensaje": "¿hay alguien? \0 📦", "cid": "c1"})
        assert await root.hear("mensaje_recibido") == [{"de": "ana", "mensaje": "¿hay alguien? \0 📦"}]
        assert stored["ok"] is True
        assert postgresql.sql("SELECT id, de, para, supervisado, cid FROM chatd.mensajes", base) == [
            f"{stored['id']}|ana|root|1|c1"
        ]

        await asyncio.to_thread(chat.server.stop, signal.SIGTERM)
        for socket in (ana, root):
            await socket.hear(":disconnect")
        await asyncio.to_thread(chat.server.start)
        await ana.hear(":connect")

        [again] = await ana.ask("mensaje_privado", {"para": "root", "mensaje": "¿hay alguien? \0 📦", "cid": "c1"})
        assert again == stored
        [history] = await ana.ask("historial", {})
        assert [(row["id"], row["mensaje"]) for row in history["mensajes"]] == [(stored["id"], "¿hay alguien? \0 📦")]
        [listed] = await root.ask("conversaciones", {})
        assert [(each["con"], each["no_leidos"]) for each in listed["conversaciones"]] == [("ana", 1)]
        for socket in (ana, root):
            await socket.close()
