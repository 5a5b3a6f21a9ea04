"""The commands of the README, as an operator pastes them."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from chatd.cli.unit import EPILOG
from tests.chat.daemon import PATIENCE_S, daemon
from tests.chat.people import SECRET
from tests.cli.command import environment
from tests.cli.stored import message, rows, store
from tests.ops.tools import tool
from tests.reference import README

PAGE: Final = README.read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"(?:^    .*\n)+", re.MULTILINE)

ALONE: Final = (
    "chatd serve --help",
    "chatd unit --help",
    "chatd unit --socket",
    "chatd check",
    "chatd dashboard > chatd.json",
    "chatd completion bash",
    "chatd man",
    "chatd alerts",
    "chatd types > chatd.d.ts",
)
WITH_BLOCKS: Final = (
    "## Run it",
    "Without systemd:",
    "### Configuration",
    "## Operate it",
    "### Backups, export, retention",
)
MOVE_HERE: Final = (
    "On the new machine, do the steps of [Run it](#run-it) and copy `chatd.tar` to `/root`. Then, as root:"
)
# Tested by tests/systemd.
BOOTED: Final = (
    "On Debian 12, as root:",
    "With certbot, as root:",
    "To restore a backup, as root:",
    "To upgrade, as root, in the folder of the new version:",
    "To move to another machine, as root on the old one:",
    MOVE_HERE,
)
# Commands tested elsewhere: long-running ones by these files, those of CI by CI itself.
ELSEWHERE: Final = {
    "chatd --version": "tests/cli/test_main.py",
    "make wheel COMPILED=1": "tests/deploy/test_compiled.py",
    "make try-compiled": "Makefile",
    "chatd token --user maria --rol user --ttl 8h --jwt-secret-file secret": "tests/interop/test_readme.py",
    "chatd dev": "tests/cli/test_dev.py",
    "chatd keep": "tests/cli/test_keep.py",
    "kill -USR2 \"$(pgrep -of 'chatd keep')\"": "tests/cli/test_keep.py",
    "chatd health": "tests/cli/test_health.py",
    "chatd reload": "tests/cli/test_reload.py",
    "chatd apikey new": "tests/cli/test_apikey.py",
    "chatd serve --console": "tests/web/chromium/conftest.py",
    "chatd doctor https://chat.example.com": "tests/cli/test_doctor.py",
    "chatd doctor URL": "tests/cli/test_doctor.py",
    "chatd check --config /etc/chatd/chatd.toml": "tests/systemd/test_production.py",
    "chatd unit --with-socket": "tests/cli/test_unit.py",
    "chatd import": "tests/cli/test_export.py",
    "chatd renumber": "tests/cli/test_renumber.py",
    "chatd serve --jwks-url https://id.example.com/keys --jwt-issuer https://id.example.com --jwt-audience chat": (
        "tests/chat/test_provided.py"
    ),
    "chatd prune": "tests/cli/test_prune.py",
    "chatd vacuum": "tests/cli/test_vacuum.py",
    "chatd erase --help": "tests/cli/test_erase.py",
    "chatd clock": "tests/cli/test_clock.py",
    "chatd clock --trust": "tests/cli/test_clock.py",
    "chatd export": "tests/cli/test_export.py",
    "pip install 'chatd[cluster]'": "Makefile",
    "chatd serve --db postgresql://chatd@db/chat --bus redis://redis:6379 --node 1": "tests/web/chromium/test_nodes.py",
    "chatd serve --db postgresql://chatd@db/chat --bus redis://redis:6379 --node 2": "tests/web/chromium/test_nodes.py",
    "chatd nodes": "tests/cluster/test_operator.py",
    "chatd webhook list": "tests/api/test_readme.py",
    "chatd webhook test": "tests/api/test_readme.py",
    "chatd webhook replay": "tests/api/test_readme.py",
    "chatd serve": "tests/cli/test_serve.py",
    "chatd dev --admin-messages team": "tests/team/test_features.py",
    "chatd replies > replies.json": "tests/cli/test_replies.py",
    "chatd replies --import replies.json": "tests/cli/test_replies.py",
    "createdb --owner=chatd --encoding=UTF8 --template=template0 chat": "tests/cli/test_postgres.py",
    "chatd check --db postgresql://chatd@127.0.0.1/chat": "tests/cli/test_postgres.py",
    "chatd serve --db postgresql://chatd@127.0.0.1/chat": "tests/cli/test_postgres.py",
    "chatd export --all all.jsonl --db chat.db": "tests/cli/test_postgres.py",
    "chatd import all.jsonl --db postgresql://chatd@127.0.0.1/chat": "tests/cli/test_postgres.py",
    "make run": "tests/web/chromium/test_dev.py",
    "make reference": "tests/cli/test_reference.py",
    "make bench": "tests/bench/test_smoke.py",
    "make fuzz": "tests/fuzz/test_decoders.py",
    "make soak": "tests/attack/test_soak.py",
    "make storm": "tests/web/chromium/test_long_thread.py",
    "make kill": "tests/durability/test_kill.py",
    "make hooks": "tests/webhooks/test_rounds.py",
    "make move": "tests/cli/test_move.py",
    "make simulate": "tests/cluster/simulation/test_command.py",
    "make outages": "tests/cluster/test_outages.py",
    "chatd serve --db chat.db --jwt-secret-file secret --bus-adapter socket.io --bus-adapter-url redis://redis:6379": (
        "tests/cluster/test_neighbours.py"
    ),
    "make interop": "tests/interop/clients/test_every_client.py",
    "make artillery": "tests/interop/artillery/test_load.py",
    "make lint": ".ci/run",
    "make lock": "tests/test_lock.py",
    "make audit": "tests/test_lock.py",
    "make test": ".ci/run",
    "make test PYTHON=python3.13": "tests/deploy/test_makefile.py",
    "make core PYTHON=python3.12": "tests/deploy/test_makefile.py",
    "make dist": "tests/deploy/conftest.py",
    "make try-dist": "tests/deploy/test_pyz.py",
    "make deb": "tests/deploy/test_deb.py",
    # With buildah, and with the command of the image.
    "docker build --tag chatd --file deploy/Containerfile dist": "tests/deploy/test_container.py",
    "(umask 077; openssl rand -hex 32 > deploy/jwt-secret)": "tests/deploy/test_container.py",
    "chown 8400 deploy/jwt-secret": "tests/deploy/test_container.py",
    "docker compose --file deploy/compose.yaml up --detach": "tests/deploy/test_compose.py",
    "make systemd": "tests/systemd/conftest.py",
}


def commands(heading: str) -> list[str]:
    """The first block of commands under a heading."""
    _, found, below = PAGE.partition(f"\n{heading}\n")
    assert found, heading
    block = BLOCK.search(below)
    assert block is not None
    return [line.strip() for line in block[0].splitlines()]


def section_commands(heading: str) -> list[str]:
    """All commands under a heading, up to the next one."""
    section = PAGE.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    return [line.strip() for block in BLOCK.findall(section) for line in block.splitlines()]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=shell_environment(), capture_output=True, text=True, check=False
    )


def shell_environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return environment(PATH=path, CHATD_JWT_SECRET=SECRET, CHATD_PORT="0")


def test_the_page_on_node_names_the_setting_for_aud() -> None:
    """C-64"""
    _, table = PAGE.split("## Move from Node.js\n")
    assert re.search(r"^\| tokens with an `aud`[^|]*\| `--jwt-audience`", table, re.MULTILINE)


def test_every_command_of_the_readme_is_tested() -> None:
    outside_fences = re.sub(r"^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)
    booted = {line for heading in BOOTED for line in commands(heading)}
    before, _, systems = outside_fences.partition("\n## Your other systems\n")  # tests/api/test_readme.py
    blocks = BLOCK.findall(before + systems.partition("\n## ")[2])
    in_blocks = {line.strip() for block in blocks for line in block.splitlines()}
    in_lines = set(re.findall(r"`((?:chatd|make) [^`]+)`", outside_fences))
    run_here = {*ALONE, *(line for heading in WITH_BLOCKS for line in commands(heading))}
    assert in_blocks | in_lines == run_here | booted | set(ELSEWHERE)
    assert all((README.parent / place).exists() for place in ELSEWHERE.values())


@pytest.mark.parametrize("command", ALONE)
def test_a_command_in_a_sentence_prints_something(command: str, tmp_path: Path) -> None:
    done = run(command, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    written = next(tmp_path.iterdir()).read_text() if ">" in command else done.stdout
    assert len(written.splitlines()) > 5


async def test_operators_list_and_message_users(tmp_path: Path) -> None:
    config = tmp_path / "chatd.toml"
    config.write_text(f"[store]\ndb = '{tmp_path}/chatd.db'\n")
    where, *verbs, tail = (line.replace("/etc/chatd", f"{tmp_path}") for line in commands("## Operate it"))
    async with daemon(tmp_path / "chatd.db") as running:
        maria = await running.enter("maria")
        following = await asyncio.create_subprocess_exec(
            *("sh", "-ec", f"{where}\nexec {tail}"), env=shell_environment(), stdout=asyncio.subprocess.PIPE
        )
        try:
            await running.logged("an operator follows the messages")
            await maria.write("admin", "are you there?")
            told = {verb: await asyncio.to_thread(run, f"{where}\n{verb}", tmp_path) for verb in verbs}
            assert {verb: done.stderr for verb, done in told.items() if done.returncode} == {}
            assert [verb.split()[1] for verb in told] == ["who", "send", "kick"]
            heard = [(await maria.hear())[0] for _ in verbs[1:]]
            assert heard == ["mensaje_recibido", "desconexion"]
            assert following.stdout is not None
            async with asyncio.timeout(PATIENCE_S):
                assert b"maria > admin: are you there?" in await following.stdout.readline()
        finally:
            following.terminate()
            await following.communicate()


@pytest.mark.parametrize("heading", ["### Configuration", "### Backups, export, retention"])
def test_the_commands_of_a_section_work(heading: str, tmp_path: Path) -> None:
    store(tmp_path / "chat.db", [message(0, de="maria"), message(1)])
    told = {command: run(command, tmp_path) for command in commands(heading)}
    assert len(told) >= 2
    assert {command: done.stderr for command, done in told.items() if done.returncode} == {}


@pytest.mark.timeout(300)  # it installs packages
def test_systemd_accepts_the_service_of_the_readme(tmp_path: Path) -> None:
    """All commands but `systemctl`, which needs a running systemd; in a root directory of its own."""
    unit = tmp_path / "etc/systemd/system/chatd.service"
    unit.parent.mkdir(parents=True)
    linked = tmp_path / "usr/local/bin"
    linked.mkdir(parents=True)
    for command in commands("## Run it"):
        if not command.startswith("systemctl "):
            here = f"PATH={linked}:$PATH; " + re.sub("/(opt|etc|usr)/", rf"{tmp_path}/\1/", command)
            done = run(
                here.replace("--no-deps .", f"--no-deps {README.parent}").replace("-r ", f"-r {README.parent}/"),
                tmp_path,
            )
            assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"[0-9a-f]{64}\n", (tmp_path / "etc/chatd/jwt-secret").read_text())
    start = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    assert start.startswith(f"ExecStart={linked}/chatd serve ")
    assert start.endswith(f" --config {tmp_path}/etc/chatd/chatd.toml")
    assert 'trusted_proxy = ["127.0.0.1"]' in (tmp_path / "etc/chatd/chatd.toml").read_text()
    verify = [tool("systemd-analyze", "systemd"), "verify", str(unit)]
    verified = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_every_secret_of_the_readme_is_private(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    lines = [*PAGE.splitlines(), *EPILOG.splitlines()]
    found = {line.strip(): line.rpartition("> ")[2].rstrip(")") for line in lines if "openssl rand" in line}
    assert len(found) >= 4
    for command, file in found.items():
        done = run("umask 022; " + command.replace("/etc/chatd", f"{tmp_path}"), tmp_path)
        assert done.returncode == 0, done.stderr
        made = tmp_path / file.replace("/etc/chatd", f"{tmp_path}")
        assert (stat.S_IMODE(made.stat().st_mode), len(made.read_text()) >= 50) == (0o600, True)
        made.unlink()


def test_the_export_of_the_readme_can_be_imported(tmp_path: Path) -> None:
    store(tmp_path / "chat.db", [message(0, de="maria"), message(1)])
    for command in commands("### Backups, export, retention"):
        run(command, tmp_path)
    assert rows(tmp_path / "other.db") == rows(tmp_path / "monday.db") == rows(tmp_path / "chat.db")
