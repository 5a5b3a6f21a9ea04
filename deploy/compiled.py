"""Builds the compiled wheel: mypyc compiles the modules on the message path to machine code.

A build hook of hatchling, see pyproject.toml. Without CHATD_COMPILED=1 it does nothing, and the wheel is pure Python.
If the compilation fails, the wheel is pure Python too, and the build says so. The sources stay in the wheel beside the
compiled modules: tracebacks show their lines.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH: Final = "CHATD_COMPILED"

COMPILER: Final = ("mypy>=2.4,<2.5", "setuptools>=65")
"""Build dependencies beside those of chatd, whose types mypyc needs. Also needs a C compiler and Python's headers."""

# One group: calls between these modules are calls of C functions.
COMPILED: Final = (
    "chatd.chat.messages.audience",
    "chatd.chat.messages.composing",
    "chatd.chat.messages.feed",
    "chatd.chat.messages.ids",
    "chatd.chat.limits",
    "chatd.chat.member",
    "chatd.chat.messages.messages",
    "chatd.chat.nodes.ids",
    "chatd.chat.nodes.messages",
    "chatd.chat.nodes.supervision",
    "chatd.chat.router",
    "chatd.chat.messages.supervision",
    "chatd.engineio.outbox",
    "chatd.engineio.reader",
    "chatd.engineio.session",
    "chatd.engineio.transport",
    "chatd.engineio.turns",
    "chatd.engineio.unfinished",
    "chatd.engineio.websocket",
    "chatd.base.rates",
    "chatd.socketio.acks",
    "chatd.socketio.binary",
    "chatd.socketio.client",
    "chatd.socketio.jsontext",
    "chatd.socketio.namespace",
    "chatd.socketio.rooms",
    "chatd.socketio.socket",
    "chatd.store.writer",
)

_STRUCTS: Final = "msgspec Structs: mypyc loses the keywords of such a class, or refuses its metaclass"

PURE: Final[Mapping[str, str]] = {
    "chatd.chat.events": _STRUCTS,
    "chatd.engineio.direct": "compiled, `list.extend` loses what it took before an exception (Python 3.11 and 3.12)",
    "chatd.engineio.outgoing": "compiled, a `cached_property` is worked out again at each access",
    "chatd.engineio.packet": _STRUCTS,
    "chatd.socketio.packet": _STRUCTS,
    "chatd.store.base": _STRUCTS,
    "chatd.store.queued": "stores inherit from it, and an interpreted class cannot inherit from a compiled one",
    "chatd.store.sqlite": "its work is in threads and in SQLite",
    "chatd.base.timers": "a message sets no deadline",
}
"""Modules on the message path that are not compiled, and why."""


class CompiledBuildHook(BuildHookInterface[Any]):
    """Adds the extension modules to the wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [*COMPILER, *self.metadata.core.dependencies] if _wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not _wanted() or version != "standard":
            return
        work = Path(tempfile.mkdtemp(prefix="chatd-compiled-"))
        self._work = work
        fault = _compile(Path(self.root), work)
        if fault is not None:
            self.app.display_warning(f"chatd cannot be compiled here, so this wheel is pure Python: {fault}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for library in work.rglob("*.so"):
            if "build" not in library.relative_to(work).parts:
                build_data["force_include"][str(library)] = str(library.relative_to(work))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if _wanted() and version == "standard":
            shutil.rmtree(self._work)


def _wanted() -> bool:
    return os.environ.get(SWITCH) == "1"


def _compile(root: Path, work: Path) -> str | None:
    """Build the extension modules in a copy of the source in `work`. Returns the error, or None."""
    compiler = (os.environ.get("CC") or str(sysconfig.get_config_var("CC"))).split()[0]
    if shutil.which(compiler) is None:
        return f"there is no C compiler {compiler}"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "there are no headers of Python, such as the package python3-dev has"
    shutil.copytree(root / "chatd", work / "chatd")
    command: list[str | Path] = [sys.executable, Path(__file__).resolve(), root / "pyproject.toml"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]


def main(settings: str) -> None:
    """Compile the working directory. Runs in a child process, because mypyc exits at an error."""
    from mypyc.build import mypycify  # noqa: PLC0415  # the hook has to be imported where there is no mypyc
    from setuptools import setup  # noqa: PLC0415

    files = [f"{name.replace('.', '/')}.py" for name in COMPILED]
    python = "{}.{}".format(*sys.version_info)
    extensions = mypycify(
        [f"--config-file={settings}", f"--python-version={python}", *files],
        only_compile_paths=files,
        opt_level=os.environ.get("MYPYC_OPT_LEVEL", "3"),  # the default of the command mypyc
        debug_level="0",
        group_name="chatd",
    )
    setup(name="chatd", packages=[], ext_modules=extensions, script_args=["build_ext", "--inplace"])


if __name__ == "__main__":
    main(sys.argv[1])
