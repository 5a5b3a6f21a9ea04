"""`chatd` as a process of its own, with only the settings of the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def environment(**variables: str) -> dict[str, str]:
    """Only the settings in `variables`, and an empty home."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CHATD_", "XDG_"))}
    return {**inherited, "HOME": "/nonexistent", "COLUMNS": "100", **variables}


def chatd(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command, and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "chatd", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(**variables),
    )


def cause_of(line: str) -> str:
    """The cause in a daemon's log line that says why it cannot run."""
    told = json.loads(line)
    assert (told["level"], told["logger"], told["message"]) == ("error", "chatd", "the daemon cannot run")
    return f"chatd: {told['cause']}"


def complaint(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line on stderr of a command that failed with `code`; for a daemon, the cause."""
    assert (done.returncode, done.stdout) == (code, "")
    (line,) = done.stderr.splitlines()
    if "serve" in done.args:
        return cause_of(line)
    assert line.startswith("chatd")
    return line
