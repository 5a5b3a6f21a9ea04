"""`chatd reload`, and where a refused reload is reported."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

from chatd.cli import EXIT_CONFIG, EXIT_FAILED
from tests.api.served import add_key
from tests.chat.daemon import daemon
from tests.chat.people import SECRET
from tests.cli.command import chatd, complaint
from tests.ops.operator import Operator


async def test_a_reload_reports_its_result_and_a_refusal_is_reported_everywhere(tmp_path: Path) -> None:
    """C-27"""
    db, file = tmp_path / "chatd.db", tmp_path / "chatd.toml"
    file.write_text("[ops]\ninternal = '127.0.0.1:0'\n")
    flags = ("--config", file, "--db", db)
    async with daemon(db, "--config", file) as running:
        operator = Operator(running)

        async def refused() -> float:
            return (await operator.metrics())("chatd_reload_refused")

        async def checked() -> str:
            environ = {"CHATD_JWT_SECRET": SECRET, "CHATD_PORT": "0", "CHATD_INTERNAL": "127.0.0.1:0"}
            return (await asyncio.to_thread(chatd, "check", "--db", db, **environ)).stdout

        done = await asyncio.to_thread(chatd, "reload", *flags)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("reloaded: log, pages, tokens, ")
        assert (await refused(), "error   reload" in await checked()) == (0, False)

        file.write_text("[chat]\nmax_message = 'many'\n")
        line = complaint(await asyncio.to_thread(chatd, "reload", "--db", db), EXIT_FAILED)
        assert line.startswith("chatd: nothing was reloaded: max_message: 'many' from ")
        assert await refused() == 1
        fault = line.removeprefix("chatd: nothing was reloaded: ")
        assert f"error   reload: the running daemon has refused the last one: {fault}\n" in await checked()

        file.write_text("[ops]\ninternal = '127.0.0.1:0'\n")
        assert (await asyncio.to_thread(chatd, "reload", *flags)).returncode == 0
        assert (await refused(), "error   reload" in await checked()) == (0, False)


async def test_credentials_of_systemd_are_reported_as_not_reloaded(tmp_path: Path) -> None:
    """Files that the service cannot read itself, and gets as copies from systemd."""
    copies, file = tmp_path / "credentials", tmp_path / "chatd.toml"
    copies.mkdir()
    (copies / "jwt-secret").write_text(SECRET)
    (copies / "webhook-crm").write_text(f"whsec_{base64.b64encode(bytes(32)).decode()}\n")
    add_key(copies / "api-keys", "shop")
    gone = tmp_path / "whsec"
    file.write_text(f"[[webhook]]\nname = 'crm'\nurl = 'http://127.0.0.1:9/'\nsecret_file = '{gone}'\n")
    flags = ("--config", file, "--api", "127.0.0.1:0", "--api-keys-file", copies / "api-keys")
    handed = ("env", f"CREDENTIALS_DIRECTORY={copies}")
    db = tmp_path / "chatd.db"
    async with daemon(db, "--jwt-secret-file", copies / "jwt-secret", *flags, before=handed) as running:
        done = await asyncio.to_thread(chatd, "reload", "--db", db)
        first, second = done.stdout.splitlines()
        assert "tokens" not in first
        assert second.startswith("as before: tokens, keys of the API, which systemd hands over at a start")
        told = await running.logged("reloaded")
        assert (told["kept"], "tokens" in told["parts"]) == ("tokens, keys of the API", False)


def test_a_reload_without_a_daemon_fails(tmp_path: Path) -> None:
    assert "no daemon listens" in complaint(chatd("reload", "--db", tmp_path / "chatd.db"), EXIT_FAILED)
    assert "no such file" in complaint(chatd("reload", "--config", tmp_path / "no.toml"), EXIT_CONFIG).lower()
