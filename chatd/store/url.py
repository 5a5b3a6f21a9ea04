"""Tells a URL of a PostgreSQL database from the name of a file. Needs no driver."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlsplit

SCHEMES: Final = ("postgresql://", "postgres://")


def is_postgres(db: str) -> bool:
    """Whether `db` is a URL with a scheme of libpq."""
    return db.startswith(SCHEMES)


def has_several_hosts(url: str) -> bool:
    """Whether `url` names several hosts, in its address or in the parameter `host`."""
    parts = urlsplit(url)
    hosts = [parts.netloc.rpartition("@")[2], *(value for name, value in parse_qsl(parts.query) if name == "host")]
    return any("," in host for host in hosts)
