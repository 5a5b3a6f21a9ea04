"""`make wheel COMPILED=1`: the same source, with modules that mypyc has compiled.

`make try-compiled` builds it, uses it as a new user would and runs the suites against it. `make test` has no compiler.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

import pytest

from chatd import __version__
from deploy.compiled import COMPILED, PURE
from tests.deploy.conftest import ROOT
from tests.deploy.stranger import python_of, run, use

OWN: Final = "{}.{}".format(*sys.version_info)
PURE_WHEEL: Final = f"chatd-{__version__}-py3-none-any.whl"

LEFT_BEHIND: Final = ("chatd", ".git", ".venv", ".build", ".hypothesis", "*_cache", "__pycache__", "results")
"""Left out of the copy of the repository, above all chatd itself: tests must import the installed package."""

SUITES: Final = (
    "tests/conformance",
    "tests/engineio",
    "tests/socketio",
    "tests/chat",
    "tests/team",
    "tests/interop/test_acks.py",
    "tests/interop/test_binary.py",
    "tests/interop/test_chat.py",
    "tests/interop/test_connect.py",
    "tests/interop/test_events.py",
    "tests/interop/test_heartbeat.py",
    "tests/interop/test_reconnect.py",
    "tests/interop/test_recovery.py",
    "tests/interop/test_stop.py",
)

OF_THE_PURE_FORM: Final[dict[str, str]] = {}
"""Deselected tests, with the reason."""

CLASSES = """
import importlib, inspect, pkgutil, sys
import chatd
for found in pkgutil.walk_packages(chatd.__path__, "chatd."):
    importlib.import_module(found.name)
compiled = {name for name in sys.argv[1:]}
for name in compiled:
    assert not sys.modules[name].__file__.endswith(".py"), name
for name, module in list(sys.modules.items()):
    if name.startswith("chatd.") and name not in compiled:
        for of, each in inspect.getmembers(module, inspect.isclass):
            if each.__module__ == name and not issubclass(each, BaseException):
                assert not {base.__module__ for base in each.__mro__} & compiled, f"{name}.{of}"
print("all")
"""
"""An interpreted class that inherits from a compiled one fails when its first object is made."""


def build(folder: Path, **environ: str) -> Path:
    """Run `make wheel COMPILED=1`; return its output."""
    done = subprocess.run(
        ["make", "-C", ROOT, "wheel", "COMPILED=1", f"DIST={folder}"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
    )
    (folder / "said").write_text(done.stdout + done.stderr)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the compiled wheel; the packages of the tests come after it on the path."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([python_of(OWN), "-m", "venv", "--without-pip", folder], check=True)
    inside = folder / "bin/python"
    pip = (sys.executable, "-m", "pip", "--python", inside, "--disable-pip-version-check", "install", "--quiet")
    subprocess.run([*pip, "--no-deps", wheel], check=True)
    [packages] = folder.glob("lib/*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return inside


@pytest.mark.whole_release
@pytest.mark.timeout(400)
async def test_the_compiled_wheel_is_used(wheel: Path, python: Path, tmp_path: Path) -> None:
    assert wheel.name.startswith(f"chatd-{__version__}-cp{OWN.replace('.', '')}-")
    await use([python.with_name("chatd")], tmp_path / "home", version=f"{__version__} (compiled)")


@pytest.mark.whole_release
@pytest.mark.timeout(400)
def test_no_interpreted_class_inherits_from_a_compiled_one(python: Path, tmp_path: Path) -> None:
    assert run([python, "-c", CLASSES, *COMPILED], tmp_path) == "all\n"


def test_every_module_that_is_not_compiled_exists_and_has_a_reason() -> None:
    for name in (*COMPILED, *PURE):
        assert (ROOT / name.replace(".", "/")).with_suffix(".py").exists(), name
    assert not set(COMPILED) & set(PURE)


def test_a_build_without_a_compiler_makes_a_pure_wheel_and_says_so(tmp_path: Path) -> None:
    assert build(tmp_path, CC="no-such-compiler").name == PURE_WHEEL
    said = (tmp_path / "said").read_text()
    assert "cannot be compiled here, so this wheel is pure Python: there is no C compiler no-such-compiler" in said


@pytest.mark.whole_release
@pytest.mark.timeout(3_600)
def test_the_suites_pass_with_the_compiled_wheel(python: Path, tmp_path: Path) -> None:
    """In a copy of the repository without chatd."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND), symlinks=True)
    deselected = [f"--deselect={test}" for test in OF_THE_PURE_FORM]
    command: list[str | Path] = [
        python,
        "-m",
        "pytest",
        "-q",
        "--numprocesses=3",
        "--dist=worksteal",
        *deselected,
        *SUITES,
    ]
    done = subprocess.run(command, cwd=copy, check=False)
    assert done.returncode == 0
