"""The machine of a new user: a Python, and nothing else on the PATH."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from chatd import __version__
from tests.chat.daemon import Daemon
from tests.chat.people import SECRET, enter
from tests.conformance.wire import Client
from tests.web.rig import Browser

VERSIONS: Final = ("3.11", "3.12", "3.13")
"""The Python versions of the classifiers in pyproject.toml."""


@functools.cache
def interpreter(version: str) -> Path | None:
    """A working Python of that version: on the PATH, this one, or one of pyenv's."""
    own = [sys.executable] if sys.version_info[:2] == tuple(map(int, version.split("."))) else []
    kept = sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")))
    for name in [*own, f"python{version}", *kept]:
        ask = "import sys; print(sys.executable, *sys.version_info[:2])"
        with contextlib.suppress(OSError):
            done = subprocess.run([name, "-c", ask], capture_output=True, text=True, check=False)
            path, _, found = done.stdout.strip().partition(" ")
            if found == version.replace(".", " "):
                return Path(path)
    return None


def python_of(version: str) -> Path:
    """The interpreter; if there is none, the skip says that the version is not tested."""
    found = interpreter(version)
    if found is None:
        pytest.skip(f"Python {version} is not here, so it is NOT TESTED: put python{version} on the PATH")
    return found


def environment(home: Path) -> dict[str, str]:
    """No compiler, no Node.js, no git and no setting."""
    empty = home / "bin"
    empty.mkdir(parents=True, exist_ok=True)
    return {"PATH": str(empty), "HOME": str(home)}


def install(python: Path, folder: Path, *wanted: str | Path) -> Path:
    """A fresh environment with `wanted` in it, installed from wheels alone; the path of its Python."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    inside = folder / "bin/python"
    pip = (sys.executable, "-m", "pip", "--python", inside, "--disable-pip-version-check", "install", "--quiet")
    subprocess.run([*pip, "--no-compile", "--only-binary", ":all:", *wanted], check=True, cwd=folder)
    return inside


def run(command: Sequence[str | Path], home: Path) -> str:
    """The output of a command in that environment."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=home, env=environment(home))
    return done.stdout


@contextlib.asynccontextmanager
async def serving(command: Sequence[str | Path], home: Path) -> AsyncIterator[Client]:
    """Run `command serve` during the block, and yield a client of it."""
    process = await asyncio.create_subprocess_exec(
        *command,
        *("serve", "--port", "0", "--db", home / "chatd.db", "--console", "--log-format", "json"),
        cwd=home,
        env={**environment(home), "CHATD_JWT_SECRET": SECRET},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    daemon = Daemon(process)
    try:
        listening = await daemon.logged("listening")
        async with Client(listening["host"], listening["port"], listening["path"]) as client:
            yield client
        daemon.terminate()
        assert await daemon.ended() == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def use(command: Sequence[str | Path], home: Path, version: str = __version__) -> None:
    """The first steps of a new user: the version, a message to an admin, the console."""
    assert run([*command, "--version"], home) == f"chatd {version}\n"
    async with serving(command, home) as client:
        ana, admin = await enter(client, "ana"), await enter(client, "admin", "admin")
        assert (await ana.write("admin", "hola"))["id"]
        assert "hola" in str(await admin.hear())
        page = Browser(client).get
        for file in files("chatd.web").joinpath("static").iterdir():
            if not file.name.endswith(".html"):
                assert (await page(f"/chatd/{file.name}")).body == file.read_bytes(), file
        assert "<title>" in (await page("/chatd/")).text
