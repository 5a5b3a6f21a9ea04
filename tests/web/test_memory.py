"""The console is loaded into memory at start; the daemon must stay within its memory limit."""

from __future__ import annotations

from pathlib import Path

from bench.machine import resident_bytes
from bench.ports import free_port
from tests.chat.people import SECRET
from tests.interop import processes
from tests.interop.processes import running

MAX_BYTES = 30 * 1024 * 1024


def test_the_daemon_stays_small_at_start_with_the_console_on(tmp_path: Path) -> None:
    secret_file = tmp_path / "secret"
    secret_file.write_text(SECRET)
    secret_file.chmod(0o600)
    port = free_port()
    command = processes.chat_command(port, tmp_path / "chat.db", secret_file, "--console")
    with running(command, port, tmp_path / "chatd.log") as server:
        assert server.process is not None
        resident = resident_bytes(server.process.pid)
        print(f"{resident / 1024 / 1024:.1f} MB")
        assert resident <= MAX_BYTES
