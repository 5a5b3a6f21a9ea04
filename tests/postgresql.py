"""A real PostgreSQL server for tests, in a temporary folder, run by a user other than root."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.ports import free_port
from tests.ops.tools import tool

OWNER: Final = "chatd"

# No data has to survive a power cut.
FAST: Final = {"fsync": "off", "full_page_writes": "off", "max_connections": "60", "log_min_messages": "log"}


@functools.cache
def programs() -> Path:
    """Debian's folder of PostgreSQL's server programs. Without them the tests are skipped; in CI they fail."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else Path(tool("postgres", "postgresql")).parent


def as_nobody_special() -> list[str]:
    """The command prefix that runs a program as another user: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    user = next(user for user in ("postgres", "nobody") if _is_user(user))
    return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups", "--"]


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


class Server:
    """One database cluster; its port stays the same over restarts."""

    def __init__(self, folder: Path, data: Path | None = None) -> None:
        """`folder` for the socket; `data` for the files, if they are in another place."""
        self.folder = folder
        self.data = folder / "data" if data is None else data
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self._made = 0
        self._has_clean = False

    def init(self) -> None:
        how = [f"--username={OWNER}", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(
            [*as_nobody_special(), programs() / "initdb", f"--pgdata={self.data}", *how],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )

    def start(self, **settings: str) -> None:
        """Returns once the server accepts connections."""
        flags = [f"--{name}={value}" for name, value in {**FAST, **settings}.items()]
        self._process = subprocess.Popen(
            [
                *as_nobody_special(),
                programs() / "postgres",
                *("-D", self.data, "-k", self.folder, "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", *flags),
            ],
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, "LC_MESSAGES": "C"},
        )
        ready = threading.Event()
        threading.Thread(target=_listen, args=(self._process, ready), daemon=True).start()
        assert ready.wait(30)
        assert self._process.poll() is None, "the server did not start"

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends all sessions and shuts down, SIGQUIT is a crash; SIGKILL would leave the shared memory behind.

        https://www.postgresql.org/docs/15/server-shutdown.html
        """
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(30)
        self._process = None

    def crash(self) -> None:
        """Crash the server: the next start recovers."""
        self.stop(signal.SIGQUIT)

    def freeze(self, *, frozen: bool) -> None:
        """SIGSTOP all its processes, or let them go on."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in [str(self._process.pid), *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGSTOP if frozen else signal.SIGCONT)

    def url(self, base: str, user: str = OWNER) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{base}"

    def sql(self, statements: str, base: str = "postgres") -> list[str]:
        """The rows as psql prints them, one a line, with | between columns."""
        done = subprocess.run(
            [programs() / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(base), "-c", statements],
            check=True,
            capture_output=True,
            text=True,
            env=environment(),
        )
        return done.stdout.splitlines()

    @contextlib.contextmanager
    def locked(self, table: str, base: str) -> Iterator[None]:
        """Lock the table: no other session can read or write it during the block."""
        with self.uncommitted(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", base):
            yield

    @contextlib.contextmanager
    def uncommitted(self, statement: str, base: str) -> Iterator[None]:
        """Run a statement in a transaction that stays open during the block, and roll it back."""
        with subprocess.Popen(
            [programs() / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(base)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as other:
            assert other.stdin is not None
            assert other.stdout is not None
            other.stdin.write(f"BEGIN; {statement}; SELECT 'done';\n")
            other.stdin.flush()
            assert other.stdout.readline() == "done\n"
            yield

    def blocked(self, base: str) -> int:
        """The number of sessions that wait for a lock."""
        [count] = self.sql(
            f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{base}' AND wait_event_type = 'Lock'"
        )
        return int(count)

    def clean_base(self) -> str:
        """The name of a database without chatd's tables. One database is reused: a new one is 300 files."""
        if not self._has_clean:
            self.sql("CREATE DATABASE clean")
            self._has_clean = True
        others = "datname = 'clean' AND pid <> pg_backend_pid()"
        self.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        self.sql("DROP SCHEMA IF EXISTS chatd CASCADE", "clean")
        return "clean"

    def new_base(self, how: str = "") -> str:
        """The name of a new, empty database."""
        self._made += 1
        name = f"base{self._made}"
        self.sql(f"CREATE DATABASE {name} {how}")
        return name


def environment() -> Mapping[str, str]:
    """The process environment without variables that name other servers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


@contextlib.contextmanager
def folder_for_server() -> Iterator[Path]:
    """A short path, because a socket's path is bounded; owned by the user that runs the server."""
    with tempfile.TemporaryDirectory(prefix="chatd-pg-") as name:
        if how := as_nobody_special():
            shutil.chown(name, how[1].partition("=")[2])
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def server(**settings: str) -> Iterator[Server]:
    """A running server."""
    with folder_for_server() as folder:
        running = Server(folder)
        running.init()
        running.start(**settings)
        try:
            yield running
        finally:
            if running._process is not None:
                running.stop(signal.SIGQUIT)


def _listen(process: subprocess.Popen[str], ready: threading.Event) -> None:
    """Read the server's output until it ends."""
    assert process.stderr is not None
    with process.stderr as lines:
        for line in lines:
            if "ready to accept" in line:  # connections, or read-only ones
                ready.set()
    ready.set()
