"""How many files the process may have open, of which every connection is one."""

from __future__ import annotations

import logging
import resource
from typing import Final

# For the database and its journals, for keys and certificates that are read again, for whoever looks at the process.
RESERVED: Final = 32

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
