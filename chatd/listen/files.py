"""The limit of open files; every connection takes one."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import resource
from typing import Final

# Files kept free for the database and its journals, for keys and certificates, and for operators' tools.
RESERVED: Final = 32

# The greatest size that `make_room` gives the kernel's table: it takes 0.5 MB of kernel memory.
MOST_ROOM: Final = 65_536

log = logging.getLogger("chatd.listen")


def raise_limit() -> int | None:
    """Raise the soft limit to the hard limit, and log it. Returns the limit, None if there is none."""
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
    """Grow the kernel's table of open files once for `clients` (0: any number), within `limit`.

    The table grows by doubling. In a process with threads, Linux makes the caller wait at each growth until all CPUs
    have switched tasks: `accept` blocked the event loop for 10 to 19 ms at the 257th file.
    """
    files = min(clients + RESERVED if clients else MOST_ROOM, limit or MOST_ROOM, MOST_ROOM)
    with contextlib.suppress(OSError):
        one = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.close(fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, files - 1))
        finally:
            os.close(one)
