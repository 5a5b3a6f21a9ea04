"""Whether the running daemon uses the current content of its files."""

from __future__ import annotations

import contextlib
from pathlib import Path

from chatd.cli.adminsocket import NoDaemonError, RefusedHereError, answers_at
from chatd.cli.checks.finding import Findings


def check_reload(admin_socket: Path, findings: Findings) -> None:
    """Add no finding if no daemon answers, or one of an older version."""
    try:
        with contextlib.closing(answers_at(admin_socket, verb="state")) as lines:
            fault = next(lines)["reload_fault"]
    except (NoDaemonError, RefusedHereError, OSError):
        return
    if fault is not None:
        findings.error("reload", f"the running daemon has refused the last one: {fault}")
