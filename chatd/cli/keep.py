"""`chatd keep`: the sockets outlive the daemon, without systemd.

It opens what `chatd serve` would listen on, and lets daemons inherit it (chatd/listen/activation.py), one after
the other: two would need the database at once. Clients who come in between wait in the kernel's queue.
"""

from __future__ import annotations

import argparse
import dataclasses
import fcntl
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final, NoReturn

from chatd.base.errors import ConfigError
from chatd.cli.arguments import add_settings, given_settings
from chatd.daemon.config import load
from chatd.listen.activation import FIRST_FD, TLS, Inherited
from chatd.listen.config import ListenConfig
from chatd.listen.tcp import open_tcp
from chatd.listen.unix import UnixSocket

EPILOG: Final = """\
Takes the settings of chatd serve. SIGUSR2 ends the daemon and starts the version that is installed now; clients who
come meanwhile wait, and none is refused. SIGHUP goes to the daemon, SIGTERM ends both. A daemon that dies is started
again after a second. Other addresses need another `keep`: the sockets stay as they are.
"""

EXIT_CONFIG: Final = 78
AGAIN_S: Final = 1.0
"""After a daemon has died."""

PLAIN: Final = "plain"

_STOPS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_SIGNALS: Final = _STOPS | {signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    config = load(given_settings(args), os.environ).listen
    command = [sys.executable, *sys.orig_argv[1:]]
    command[command.index("keep")] = "serve"
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    unix = None if config.unix is None else UnixSocket(config.unix, config.unix_permissions)
    try:
        return Keeper(_opened(config, unix), command).run()
    finally:
        if unix is not None:
            unix.remove()


def _opened(config: ListenConfig, unix: UnixSocket | None) -> list[Inherited]:
    """Raises ListenError."""
    found = []
    if config.tcp:
        name = TLS if config.tls_cert is not None and config.tls_port is None else PLAIN
        found += [Inherited(name, one) for one in open_tcp(config.host, config.port, "--port")]
    if config.tls_port is not None:
        found += [Inherited(TLS, one) for one in open_tcp(config.host, config.tls_port, "--tls-port")]
    if unix is not None:
        found.append(Inherited(PLAIN, unix.socket))
    if not found:
        raise ConfigError("tcp: there is nothing to listen on")
    return found


@dataclasses.dataclass(slots=True)
class Keeper:
    """Starts `command` with the sockets, as often as is needed."""

    held: Sequence[Inherited]
    command: list[str]

    def run(self) -> int:
        """Until a signal ends it, or a daemon finds its configuration wrong: the exit code of the last one."""
        pid, is_last = self._start(), False
        while True:
            number = signal.sigwait(_SIGNALS)
            if number == signal.SIGCHLD:
                code = _ended(pid)
                if code is None:
                    continue
                if is_last or code == EXIT_CONFIG:
                    return code
                if code:
                    time.sleep(AGAIN_S)
                pid = self._start()
            else:
                is_last = is_last or number in _STOPS
                os.kill(pid, signal.SIGTERM if number == signal.SIGUSR2 else number)

    def _start(self) -> int:
        pid = os.fork()
        if not pid:
            self._become()
        return pid

    def _become(self) -> NoReturn:
        """In the new process: leave the sockets where sd_listen_fds(3) says, and be the daemon."""
        first_free = FIRST_FD + len(self.held)
        copies = [fcntl.fcntl(one.socket.fileno(), fcntl.F_DUPFD_CLOEXEC, first_free) for one in self.held]
        for number, copy in enumerate(copies):
            os.dup2(copy, FIRST_FD + number, inheritable=True)
        names = ":".join(one.name for one in self.held)
        left = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(self.held)), "LISTEN_FDNAMES": names}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.execve(self.command[0], self.command, {**os.environ, **left})  # noqa: S606 - the same program


def _ended(pid: int) -> int | None:
    """The exit code of a process that has ended."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None
