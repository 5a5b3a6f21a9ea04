"""README.md, "Your other systems": the commands, as somebody would paste them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.chat.daemon import Daemon
from tests.chat.people import SECRET
from tests.cli.test_readme import run, section_commands, shell_environment

API_PORT = 18_600


async def test_an_operator_gets_from_nothing_to_a_message_of_the_shop(tmp_path: Path) -> None:
    """A-02, A-07, A-12"""
    (tmp_path / "secret").write_text(SECRET)
    key, serve, *curls = (line.replace("8600", str(API_PORT)) for line in section_commands("## Your other systems"))
    assert run(key, tmp_path).returncode == 0
    process = await asyncio.create_subprocess_exec(
        *("sh", "-ec", f"exec {serve} --port 0 --log-format json"),
        cwd=tmp_path, env=shell_environment(), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    chatd = Daemon(process)
    try:
        await chatd.logged("listening")
        send, read, document = [await asyncio.to_thread(run, curl, tmp_path) for curl in curls]
        page = json.loads(read.stdout)
        assert [message["mensaje"] for message in page["mensajes"]] == ["Your order is on its way"]
        assert page["mensajes"][0]["id"] == json.loads(send.stdout)["id"]
        assert json.loads(document.stdout)["openapi"] == "3.1.0"
        chatd.terminate()
        assert await chatd.ended() == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
