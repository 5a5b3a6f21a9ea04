"""README.md, "Your other systems": the commands, as somebody would paste them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.chat.daemon import Daemon, daemon
from tests.chat.people import SECRET
from tests.cli.test_readme import run, section_commands, shell_environment
from tests.webhooks.receiver import receiving, write_config

API_PORT = 18_600

SECTION = "## Your other systems"

VERBS = 3
"""The last commands, which are on webhooks."""


async def test_an_operator_gets_from_nothing_to_a_message_of_the_shop(tmp_path: Path) -> None:
    """A-02, A-07, A-12"""
    (tmp_path / "secret").write_text(SECRET)
    key, serve, *curls = (line.replace("8600", str(API_PORT)) for line in section_commands(SECTION)[:-VERBS])
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


async def test_an_operator_tries_a_webhook_and_sees_how_far_it_is(tmp_path: Path) -> None:
    """W-02, W-08"""
    verbs = section_commands(SECTION)[-VERBS:]
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        async with daemon(tmp_path / "chatd.db", "--config", config) as chatd:
            await (await chatd.enter("ana")).write("root", "one")
            await receiver.until(lambda: receiver.texts() == ["one"])
            tried, listed, replayed = [await asyncio.to_thread(run, verb, tmp_path) for verb in verbs]
    assert (tried.returncode, tried.stdout) == (0, "crm: it answered 204\n")
    assert (listed.returncode, listed.stdout.splitlines()[1].split()[:2]) == (0, ["crm", "on"])
    assert (replayed.returncode, replayed.stdout) == (0, "crm: 0 of 0 events stay set aside\n")
