"""`chatd keep`: keeps the sockets open while the daemon restarts, without systemd.

It opens the sockets of `chatd serve`, and passes them to one daemon after the other (chatd/listen/activation.py); two
at a time would need the same database. Clients that connect in between wait in the kernel's queue.
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
Takes the settings of chatd serve. SIGUSR2 ends the daemon and starts the version that is installed now; clients that
connect meanwhile wait, and none is refused. SIGHUP is passed to the daemon, SIGTERM ends both. A daemon that dies is
restarted after a second. To change addresses, restart `chatd keep`: its sockets stay as they are.
"""

EXIT_CONFIG: Final = 78
AGAIN_S: Final = 1.0
"""Seconds before a daemon that has died is restarted."""

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
    """Open the sockets of the configuration. Raises ListenError."""
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
    """Runs `command` with the sockets, and restarts it."""

    held: Sequence[Inherited]
    command: list[str]

    def run(self) -> int:
        """Run until a signal ends it, or a daemon exits with EXIT_CONFIG. Returns the exit code of the last daemon."""
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
        """In the child process: move the sockets to the descriptors of sd_listen_fds(3), and execute the daemon."""
        first_free = FIRST_FD + len(self.held)
        copies = [fcntl.fcntl(one.socket.fileno(), fcntl.F_DUPFD_CLOEXEC, first_free) for one in self.held]
        for number, copy in enumerate(copies):
            os.dup2(copy, FIRST_FD + number, inheritable=True)
        names = ":".join(one.name for one in self.held)
        left = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(self.held)), "LISTEN_FDNAMES": names}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.execve(self.command[0], self.command, {**os.environ, **left})  # noqa: S606 - the same program


def _ended(pid: int) -> int | None:
    """The exit code of the process `pid`; None if it still runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None
