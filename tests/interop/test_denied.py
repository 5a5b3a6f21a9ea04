"""A user is put on the deny list: the real client is disconnected, reconnects by itself, and is refused."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from tests.interop.chat import token, with_cookie
from tests.interop.conftest import Client, running_chat


async def test_a_denied_user_gets_the_reason_at_disconnect_and_at_reconnect(client: Client, tmp_path: Path) -> None:
    """C-25, C-27"""
    denied = tmp_path / "denied"
    denied.write_text("# nobody yet\n")
    with running_chat(tmp_path, "--deny-file", str(denied)) as chat:
        ana = await client.connected(chat.url, **with_cookie(token("ana")))
        eva = await client.connected(chat.url, **with_cookie(token("eva")))
        denied.write_text("user:ana\n")
        assert chat.server.process is not None
        chat.server.process.send_signal(signal.SIGHUP)
        why: list[Any] = await ana.hear("desconexion")
        assert why[0]["code"] == "token_denied"
        await ana.hear(":disconnect")
        assert (await ana.refused())["data"] == {"code": "token_denied"}
        [stored] = await eva.ask("mensaje_privado", {"para": "root", "mensaje": "hola"})
        assert stored["ok"] is True
        assert eva.heard(":disconnect") == 0
