"""README.md, "Your other systems": the commands as an operator pastes them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bench.ports import free_port
from tests.api.served import System
from tests.chat.daemon import PATIENCE_S, Daemon, daemon
from tests.chat.people import SECRET
from tests.cli.test_readme import PAGE, run, section_commands, shell_environment
from tests.conformance.wire import Client
from tests.reference import README
from tests.webhooks.receiver import receiving, write_config

PORTS: Final = {"8600": str(free_port()), "8700": str(free_port())}

SECTION = "## Your other systems"
BOT = "### A bot that answers at night"

VERBS = slice(5, 8)
"""The commands of the section on webhooks."""

TOML: Final = re.compile(r"^```toml\n(.*?)^```$", re.DOTALL | re.MULTILINE)

ANSWER = "We are here again at 9 in the morning, and answer then."


def section(heading: str) -> str:
    """The text under a heading, up to the next one."""
    return re.split(r"^#{2,3} ", PAGE.partition(f"\n{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def here(text: str) -> str:
    """Replace the ports by free ones."""
    return re.sub("|".join(PORTS), lambda port: PORTS[port[0]], text)


@contextlib.asynccontextmanager
async def started(command: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs in the background."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-ec", f"exec {command}"), cwd=folder, env=shell_environment(), stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_an_operator_gets_from_nothing_to_a_message_of_the_shop(tmp_path: Path) -> None:
    """A-02, A-07, A-12"""
    (tmp_path / "secret").write_text(SECRET)
    key, serve, *curls = map(here, section_commands(SECTION)[: VERBS.start])
    assert run(key, tmp_path).returncode == 0
    async with started(f"{serve} --log-format json", tmp_path) as process:
        chatd = Daemon(process)
        await chatd.logged("listening")
        done = [await asyncio.to_thread(run, curl, tmp_path) for curl in curls]
        assert [each.returncode for each in done] == [0, 0, 0], [each.stderr for each in done]
        send, read, document = done
        page = json.loads(read.stdout)
        assert [message["mensaje"] for message in page["mensajes"]] == ["Your order is on its way"]
        assert page["mensajes"][0]["id"] == json.loads(send.stdout)["id"]
        assert json.loads(document.stdout)["openapi"] == "3.1.0"
        chatd.terminate()
        assert await chatd.ended() == 0


async def test_an_operator_tries_a_webhook_and_sees_how_far_it_is(tmp_path: Path) -> None:
    """W-02, W-08"""
    verbs = section_commands(SECTION)[VERBS]
    async with receiving() as receiver:
        [table] = TOML.findall(section(SECTION))
        write_config(tmp_path, receiver.url)  # and the file of the secret
        config = tmp_path / "chatd.toml"
        ours = {"https://crm.example/chat": receiver.url, "/etc/chatd/whsec": str(tmp_path / "whsec")}
        for named, where in ours.items():
            assert table.count(named) == 1
            table = table.replace(named, where)
        config.write_text(f"{table}private_addresses = true\n")
        async with daemon(tmp_path / "chatd.db", "--config", config) as chatd:
            await (await chatd.enter("ana")).write("root", "one")
            await receiver.until(lambda: receiver.texts() == ["one"])
            tried, listed, replayed = [await asyncio.to_thread(run, verb, tmp_path) for verb in verbs]
    assert (tried.returncode, tried.stdout) == (0, "crm: it answered 204\n")
    assert (listed.returncode, listed.stdout.splitlines()[1].split()[:2]) == (0, ["crm", "on"])
    assert (replayed.returncode, replayed.stdout) == (0, "crm: 0 of 0 events stay set aside\n")


class Night:
    """A chat with a bot, set up as in the README, while no admin is online."""

    def __init__(self, chatd: Daemon, bot: asyncio.subprocess.Process, folder: Path) -> None:
        self.chatd = chatd
        self.folder = folder
        self._bot = bot

    async def taken(self, count: int) -> None:
        """Wait until the bot has handled `count` more events: it writes a line for each."""
        assert self._bot.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while count:
                count -= b" 204 " in await self._bot.stderr.readline()

    async def read(self, con: str) -> list[str]:
        """The texts of a conversation."""
        key = (self.folder / "bot.key").read_text().strip()
        async with Client("127.0.0.1", int(PORTS["8600"]), "/") as client:
            page = await System(await client.connect(), key).get(f"/v1/conversaciones/{con}/mensajes")
        return [each["mensaje"] for each in page["mensajes"]]


@contextlib.asynccontextmanager
async def night(folder: Path) -> AsyncIterator[Night]:
    commands = list(map(here, section_commands(BOT)))
    shutil.copy(README.parent / "examples/bot.py", folder)
    for command in commands[:4]:
        assert run(command, folder).returncode == 0
    (folder / "secret").write_text(SECRET)
    for name, text in (("chatd.toml", TOML.findall(section(BOT))[0]), ("bot.py", (folder / "bot.py").read_text())):
        (folder / name).write_text(here(text))
    serve, bot = commands[4:6]
    async with started(f"{serve} --log-format json", folder) as process, started(bot, folder) as running:
        chatd = Daemon(process)
        listening = await chatd.logged("listening")
        async with Client(listening["host"], listening["port"], listening["path"]) as chatd.client:
            yield Night(chatd, running, folder)
        assert chatd.faults == []


async def test_an_operator_gets_from_nothing_to_a_bot_that_answers_at_night(tmp_path: Path) -> None:
    """W-01, A-07, A-24"""
    async with night(tmp_path) as chat:
        trial, ask, read = map(here, section_commands(BOT)[6:])
        while (tried := await asyncio.to_thread(run, trial, tmp_path)).returncode:
            assert "no answer" in tried.stdout, "the bot is not there yet"
        assert tried.stdout == "bot: it answered 204\n"
        assert (await asyncio.to_thread(run, ask, tmp_path)).returncode == 0
        await chat.taken(2)
        page = json.loads((await asyncio.to_thread(run, read, tmp_path)).stdout)
        assert [(each["de"], each["mensaje"]) for each in page["mensajes"]] == [
            ("maria", "Are you open?"), ("bot", ANSWER),
        ]  # fmt: skip


async def test_a_bot_answers_while_no_admin_is_here_and_hands_over_to_one_who_claims(tmp_path: Path) -> None:
    """W-02, A-12, A-24"""
    async with night(tmp_path) as chat:
        ana = await chat.chatd.enter("ana")
        await ana.write("soporte", "Are you open?")
        await chat.taken(1)
        root = await chat.chatd.enter("root", "admin")
        assert (await root.ask("atender", {"con": "ana"}))["ok"] is True
        await ana.write("soporte", "Somebody?")
        await chat.taken(1)
        await root.write("ana", "I am on it")
        await root.leave()
        while (await ana.ask("atencion"))["atendido"]:
            pass
        await ana.write("soporte", "Thank you")
        await chat.taken(1)
        assert await chat.read("ana") == ["Are you open?", ANSWER, "Somebody?", "I am on it", "Thank you"]
        await (await chat.chatd.enter("eva")).write("soporte", "Anybody?")
        await chat.taken(1)
        assert await chat.read("eva") == ["Anybody?", ANSWER]
