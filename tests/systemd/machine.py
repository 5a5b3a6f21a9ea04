"""A container with its own systemd: a root file system under a temporary overlay, booted by systemd-nspawn.

`python -m tests.systemd.machine` boots one, and exits with 0 if it can here.
Its network namespace has no route out: commands that download packages run in `prepare`, before the boot.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

BOOT_S: Final = 60.0
COMMAND_S: Final = 120.0

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MACHINE_ID: Final = Path("etc/machine-id")


class CommandError(AssertionError):
    """A command of the test failed."""


class Machine:
    """Its files exist first; `boot` starts it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def prepare(self, command: str) -> str:
        """Run a command in the files, before the boot. Raises CommandError."""
        return self._run(["chroot", str(self.root), "sh", "-ec", command], command)

    def boot(self) -> None:
        (self.root / _MACHINE_ID).unlink(missing_ok=True)
        alone = [] if Path("/run/systemd/system").is_dir() else ["--keep-unit"]
        self._nspawn = subprocess.Popen(
            [
                *("systemd-nspawn", f"--directory={self.root}", "--boot", "--register=no", *alone, "--console=pipe"),
                *(f"--machine=chatd-{os.getpid()}", "--private-network", "--link-journal=no"),
                *("systemd.unit=basic.target", "systemd.show_status=0"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + BOOT_S
        while time.monotonic() < end and self._nspawn.poll() is None:
            with contextlib.suppress(OSError, LookupError, CommandError):
                children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
                self._leader = int(children[0])
                self.run("systemctl is-active basic.target")
                return
            time.sleep(0.2)
        raise CommandError("systemd did not boot here")

    def run(self, command: str) -> str:
        """The output of a command on the booted machine. Raises CommandError."""
        return self._run([*self._inside(), "sh", "-ec", command], command)

    def fails(self, command: str) -> str:
        """The output of a command that must fail."""
        done = subprocess.run(
            [*self._inside(), "sh", "-ec", command], capture_output=True, text=True, check=False, timeout=COMMAND_S
        )
        if done.returncode == 0:
            raise CommandError(f"{command}: it succeeded: {done.stdout}")
        return done.stdout + done.stderr

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a process on it; the caller ends it."""
        return subprocess.Popen([*self._inside(), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def on_its_network(self) -> list[str]:
        """The prefix that runs a command of the host in the container's network namespace."""
        return ["nsenter", f"--target={self._leader}", "--net"]

    def stop(self) -> None:
        """Stop it at once; its files are dropped."""
        if self._nspawn is not None:
            self._nspawn.kill()
            self._nspawn.wait()

    def _inside(self) -> list[str]:
        return [
            "nsenter",
            f"--target={self._leader}",
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "env",
            f"PATH={_PATH}",
        ]

    def _run(self, words: list[str], command: str) -> str:
        environ = {**os.environ, "PATH": _PATH}
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=COMMAND_S, env=environ)
        if done.returncode:
            raise CommandError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


@contextlib.contextmanager
def machine(folder: Path, files: Path = Path("/")) -> Iterator[Machine]:
    """A machine with a copy of `files` in `folder`, removed at the end."""
    folder.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "chatd-machine", str(folder))
    upper, work, root = (folder / name for name in ("upper", "work", "root"))
    for each in (upper, work, root):
        each.mkdir()
    made = None
    try:
        _mount("-t", "overlay", "overlay", "-o", f"lowerdir={files},upperdir={upper},workdir={work}", str(root))
        made = Machine(root)
        yield made
    finally:
        if made is not None:
            made.stop()
        for place in (root, folder):
            subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def _can_boot() -> bool:
    try:
        with tempfile.TemporaryDirectory() as folder, machine(Path(folder) / "machine") as made:
            made.boot()
    except (OSError, subprocess.CalledProcessError, CommandError) as error:
        print(f"no systemd boots here: {error}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(0 if _can_boot() else 1)
