"""Configuration errors of `chatd serve`. A running daemon is tested elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG
from tests.chat.daemon import Daemon
from tests.cli.command import chatd, complaint, environment

SECRET = "a secret of forty bytes, for tests alone"


def test_without_a_secret_the_error_names_the_settings() -> None:
    line = complaint(chatd("serve"), EXIT_CONFIG)
    assert "--jwt-secret-file FILE" in line
    assert "CHATD_JWT_SECRET" in line
    assert "openssl rand -hex 32" in line


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ([], {"CHATD_JWT_SECRET": "x" * 31}, "CHATD_JWT_SECRET: the secret has 31 bytes, HS256 needs at least 32"),
        ([], {"CHATD_JWT_SECRET": ""}, "no secret"),
        (["--jwt-secret-file", "/nonexistent/f"], {}, "/nonexistent/f: No such file"),
        (["--jwt-secret-file", "/dev/null"], {}, "no regular file"),
        (["--jwt-public-key-file", "/nonexistent/f"], {}, "/nonexistent/f: No such file"),
        (["--jwt-algorithm", "RS256"], {"CHATD_JWT_SECRET": SECRET}, "RS256 needs --jwt-public-key-file"),
        (["--jwt-algorithm", "none"], {"CHATD_JWT_SECRET": SECRET}, "jwt_algorithm: 'none' from --jwt-algorithm"),
        (["--port", "65536"], {"CHATD_JWT_SECRET": SECRET}, "port: '65536' from --port is not"),
        (["--port", "1"], {"CHATD_PORTT": "1", "CHATD_JWT_SECRET": SECRET}, "did you mean CHATD_PORT?"),
        ([], {"CHATD_LOG_FORMAT": "xml", "CHATD_JWT_SECRET": SECRET}, "is not one of auto, text, json"),
        (["--cookie", "a b"], {"CHATD_JWT_SECRET": SECRET}, "no name for a cookie"),
    ],
)
def test_an_invalid_configuration_is_a_one_line_error(
    arguments: list[str], variables: dict[str, str], said: str
) -> None:
    assert said in complaint(chatd("serve", *arguments, **variables), EXIT_CONFIG)


def test_an_invalid_file_is_a_one_line_error_with_the_line_number(tmp_path: Path) -> None:
    path = tmp_path / "chatd.toml"
    path.write_text("[listen]\nprt = 1\n")
    said = f"{path}:2: there is no setting prt in [listen]; did you mean port?"
    assert said in complaint(chatd("serve", "--config", path, CHATD_JWT_SECRET=SECRET), EXIT_CONFIG)
    assert said in complaint(chatd("serve", CHATD_CONFIG=str(path), CHATD_JWT_SECRET=SECRET), EXIT_CONFIG)


def test_a_short_secret_in_a_file_is_refused_and_not_printed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    line = complaint(chatd("serve", "--jwt-secret-file", tmp_path / "secret"), EXIT_CONFIG)
    assert "has 4 bytes" in line
    assert "hush" not in line


def test_help_has_the_settings_of_every_part() -> None:
    done = chatd("serve", "--help")
    assert done.returncode == 0
    for flag in ("--host", "--port", "--db", "--path", "--cookie", "--origin", "--ping-interval", "--log-format"):
        assert f"\n  {flag} " in done.stdout
    assert "CHATD_JWT_SECRET (no flag)" in done.stdout


def open_to_others_in(folder: Path) -> dict[str, bool]:
    return {path.name: bool(path.stat().st_mode & 0o077) for path in folder.iterdir()}


async def test_world_readable_files_are_reported_at_the_start_and_never_created(tmp_path: Path) -> None:
    db, secret = tmp_path / "chatd.db", tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    db.touch()
    db.chmod(0o644)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'umask 0; exec "$@"', "sh", sys.executable, "-m", "chatd", "serve", "--port", "0"),
        *("--log-format", "json", "--db", db, "--jwt-secret-file", secret),
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Daemon(process)
    try:
        await running.logged("listening")
        told = [line["cause"] for line in running.log if line["message"] == "a file is open to others"]
        assert told == [
            f"others can read {db}, which holds private messages: chmod 600",
            f"{secret} can be read by everybody on this machine: chmod 600, or 640 with a group",
        ]
        open_to_others = open_to_others_in(tmp_path)
        assert {"chatd.db-wal", "chatd.db-shm", "chatd.db.lock"} <= open_to_others.keys()
        assert {name for name, is_open in open_to_others.items() if is_open} == {db.name, secret.name}
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        ((), {}),
        (("--prot", "1"), {}),
        (("--port",), {}),
        (("--log-format", "xml"), {"CHATD_JWT_SECRET": SECRET}),
        (("--db", "/dev/null/chatd.db"), {"CHATD_JWT_SECRET": SECRET}),
        (("--host", "192.0.2.1"), {"CHATD_JWT_SECRET": SECRET}),
    ],
    ids=str,
)
def test_a_start_error_has_the_format_of_the_log(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    """With invalid flags, an invalid configuration, and errors of the machine."""
    done = chatd("serve", *arguments, **{"CHATD_DB": str(tmp_path / "c.db"), "CHATD_PORT": "0", **variables})
    last = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode > 0, last["level"], bool(last["cause"])) == (True, "error", True)


def test_the_text_format_applies_from_the_first_line() -> None:
    for arguments, variables in ((("--log-format=text",), {}), ((), {"CHATD_LOG_FORMAT": "text"})):
        done = chatd("serve", *arguments, **variables)
        assert "ERROR   chatd the daemon cannot run cause=" in done.stderr


def test_on_a_terminal_the_error_is_a_plain_line() -> None:
    reading, terminal = os.openpty()
    subprocess.run([sys.executable, "-m", "chatd", "serve"], env=environment(), stderr=terminal, check=False)
    assert os.read(reading, 4096).startswith(b"chatd: no secret to verify tokens with: ")
    os.close(reading)
    os.close(terminal)
