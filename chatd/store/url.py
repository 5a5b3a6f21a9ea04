"""Whether `db` is the URL of a PostgreSQL database, or a file. Needs no driver."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlsplit

SCHEMES: Final = ("postgresql://", "postgres://")


def is_postgres(db: str) -> bool:
    """Whether `db` is a URL of PostgreSQL's, with a scheme that libpq knows."""
    return db.startswith(SCHEMES)


def has_several_hosts(url: str) -> bool:
    """In the address, or in the parameter that may stand for it."""
    parts = urlsplit(url)
    hosts = [parts.netloc.rpartition("@")[2], *(value for name, value in parse_qsl(parts.query) if name == "host")]
    return any("," in host for host in hosts)
