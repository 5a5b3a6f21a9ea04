"""How many files the process may have open, of which every connection is one."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import resource
from typing import Final

# For the database and its journals, for keys and certificates that are read again, for operators' tools.
RESERVED: Final = 32

# Of the kernel's table at the start: half a megabyte of its memory.
MOST_ROOM: Final = 65_536

log = logging.getLogger("chatd.listen")


def raise_limit() -> int | None:
    """Take as many as the system allows, and say so; None if it sets no limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (ValueError, OSError) as error:
            log.warning("the limit of open files stays as it is", extra={"limit": soft, "cause": str(error)})
    limit = None if soft == resource.RLIM_INFINITY else soft
    log.info("open files", extra={"limit": "unlimited" if limit is None else limit})
    return limit


def make_room(clients: int, limit: int | None) -> None:
    """Let the kernel's table of open files hold `clients` (0: any number) at once, as far as `limit` goes.

    The table grows by doubling. Where a process has threads, Linux lets the caller wait for each growth until all CPUs
    have switched tasks: `accept` took 10 to 19 ms for the 257th file, and the loop stood still.
    """
    files = min(clients + RESERVED if clients else MOST_ROOM, limit or MOST_ROOM, MOST_ROOM)
    with contextlib.suppress(OSError):
        one = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.close(fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, files - 1))
        finally:
            os.close(one)
