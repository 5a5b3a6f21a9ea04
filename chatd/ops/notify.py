"""Messages to systemd: ready, status, reloading, stopping, and the watchdog from the event loop.

Each message is one datagram to the socket in NOTIFY_SOCKET. Without that variable nothing is sent.
https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, MutableMapping
from typing import Final

# How often the status line is updated without a watchdog.
STATUS_S: Final = 10.0

_US: Final = 1_000_000


class Notifier:
    """Sends nothing without NOTIFY_SOCKET. Never raises: the daemon runs on when its service manager is gone."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Removes systemd's variables from `environ`, so that child processes do not inherit them."""
        self._to = _address(environ.pop("NOTIFY_SOCKET", ""))
        self._watchdog_s = _watchdog_s(environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", ""))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if self._to else None
        self._loop = asyncio.get_running_loop()
        self._status: Callable[[], str] = str
        self._beat: asyncio.TimerHandle | None = None
        if self._socket is not None:
            self._socket.setblocking(False)

    def ready(self, status: Callable[[], str]) -> None:
        """Report READY, then a line from `status` at intervals."""
        if self._socket is None:
            return
        self._status = status
        self._say("READY=1")
        self._beats()

    def reloading(self) -> None:
        """Report the start of a reload; the time lets systemd tell which READY belongs to it (Type=notify-reload)."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        self._say("READY=1", f"STATUS={self._status()}")

    def stopping(self, status: str) -> None:
        """Report a stop. Watchdog messages go on, so that systemd kills a daemon that hangs while it stops."""
        self._status = lambda: status
        self._say("STOPPING=1", f"STATUS={status}")

    def close(self) -> None:
        """Idempotent."""
        if self._beat is not None:
            self._beat.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _beats(self) -> None:
        """Send a watchdog message at half of systemd's interval. If the event loop hangs, systemd restarts chatd."""
        watched = ("WATCHDOG=1",) if self._watchdog_s else ()
        self._say(*watched, f"STATUS={self._status()}")
        every_s = min(self._watchdog_s / 2 or STATUS_S, STATUS_S)
        self._beat = self._loop.call_later(every_s, self._beats)

    def _say(self, *lines: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._to)


def _address(named: str) -> str:
    """The path of a socket, or an abstract name, in which a zero byte replaces the `@`."""
    if named.startswith("@"):
        return "\0" + named[1:]
    return named if named.startswith("/") else ""


def _watchdog_s(usec: str, pid: str) -> float:
    """Seconds that systemd waits for a watchdog message; 0 without a watchdog, or if it watches another process."""
    if not usec.isdecimal() or (pid and pid != str(os.getpid())):
        return 0.0
    return int(usec) / _US
