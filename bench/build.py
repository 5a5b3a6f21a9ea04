"""Builds what the benchmarks need and the repository does not contain: the C programs and the peers' packages.

Everything is built in `bench/.build` and `bench/peers/node_modules`, both ignored by git; a second call does nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
BUILD: Final = HERE / ".build"
PEERS: Final = HERE / "peers"
ROOT: Final = HERE.parent
COMPILER: Final = "ziglang==0.17.1"
CFLAGS: Final = ("-O2", "-std=gnu11", "-Wall", "-Wextra")


class SetupError(Exception):
    """A dependency of a benchmark cannot be built on this machine; the message says which and why."""


def compiled(name: str, sources: Sequence[Path]) -> Path:
    """The program `name`, compiled with `cc` if one of its sources is newer."""
    program = BUILD / name
    headers = [header for source in sources for header in source.parent.glob("*.h")]
    if program.exists() and all(path.stat().st_mtime < program.stat().st_mtime for path in [*sources, *headers]):
        return program
    BUILD.mkdir(exist_ok=True)
    fresh = program.with_suffix(f".{os.getpid()}")
    _do([*_compiler(), *CFLAGS, "-o", str(fresh), *map(str, sources)])
    fresh.replace(program)
    return program


def _compiler() -> list[str]:
    """`cc`, or on a machine without one the compiler from the package index."""
    found = shutil.which("cc")
    if found is not None:
        return [found]
    folder = BUILD / "compiler"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        _virtual_environment(folder, COMPILER)
        (folder / ".ready").touch()
    return [str(python), "-m", "ziglang", "cc"]


def _virtual_environment(folder: Path, *packages: str) -> None:
    _do([sys.executable, "-m", "venv", "--clear", str(folder)])
    _do([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])


def load_program() -> Path:
    return compiled("load", sorted((HERE / "load").glob("*.c")))


def floor_program() -> Path:
    return compiled("floor", [PEERS / "floor.c"])


def node_modules() -> Path:
    """The packages of the JavaScript peers, in the locked versions."""
    modules = PEERS / "node_modules"
    lock = PEERS / "package-lock.json"
    installed = modules / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        # no install scripts: Bun's binary is in its platform package, see bun_program()
        _do([_tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=PEERS)
    return modules


def sqlite_addon() -> Path:
    """The compiled part of better-sqlite3: downloaded if there is a build for this machine, otherwise compiled."""
    addon = node_modules() / "better-sqlite3" / "build" / "Release" / "better_sqlite3.node"
    if not addon.exists():
        _do([_tool("npm"), "rebuild", "better-sqlite3"], cwd=PEERS)
    if not addon.exists():
        raise SetupError("better-sqlite3 has no compiled part for this machine, and none could be made")
    return addon


def node_program() -> Path:
    return Path(_tool("node"))


def bun_program() -> Path:
    """The binary inside npm's package `bun` for this platform."""
    found = sorted(node_modules().glob("@oven/bun-*/bin/bun"))
    if not found:
        raise SetupError("npm has no Bun binary for this platform")
    return found[0]


def peer_python() -> Path:
    """The interpreter of python-socketio's virtual environment: the Python version of this one."""
    wanted = PEERS / "requirements.txt"
    folder = BUILD / "python"
    stamp = folder / "requirements.txt"
    python = folder / "bin" / "python"
    if stamp.exists() and stamp.read_text() == wanted.read_text():
        return python
    _virtual_environment(folder, "-r", str(wanted))
    shutil.copy(wanted, stamp)
    return python


def compiled_chatd() -> Path:
    """The interpreter of an environment with the compiled wheel of this source, rebuilt after each change."""
    folder = BUILD / "chatd"
    stamp = folder / "ready"
    sources = [ROOT / "pyproject.toml", ROOT / "deploy" / "compiled.py", *(ROOT / "chatd").rglob("*.py")]
    if not stamp.exists() or any(path.stat().st_mtime > stamp.stat().st_mtime for path in sources):
        wheels = BUILD / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        _do(["make", "wheel", "COMPILED=1", f"DIST={wheels}"], cwd=ROOT)
        [wheel] = wheels.glob("*.whl")
        if wheel.name.endswith("-none-any.whl"):
            raise SetupError("chatd cannot be compiled here: `make wheel COMPILED=1` says why")
        _virtual_environment(folder, str(wheel), "--constraint", str(ROOT / "constraints.txt"))
        stamp.touch()
    return folder / "bin" / "python"


def _tool(name: str) -> str:
    """A program in the folder of this interpreter (`make` may have put Node.js there) or on the PATH."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        raise SetupError(f"there is no `{name}` on the PATH")
    return found


def _do(command: Sequence[str], cwd: Path | None = None) -> None:
    print(f"bench: {' '.join(Path(word).name for word in command[:4])} ...", file=sys.stderr)
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
