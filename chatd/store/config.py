"""The settings of the store."""

# ruff: noqa: RUF009 - setting() gives a field, whose default is immutable

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.settings.passwords import check_url
from chatd.settings.setting import setting

from .url import has_several_hosts, is_postgres

LATEST_COMMIT_MS: Final = 30_000
"""With several nodes: a message is committed within this time after its id was made, or refused. Rule N-16."""

MAX_TIMEOUT_OF_NODES_S: Final = 20.0
"""The maximum of `db_timeout` with several nodes, which leaves time for messages that wait in the queue."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """The database, the durability of its commits, and the limits of its queue."""

    db: str = setting(
        "chatd.db",
        "file of the SQLite database, created if it does not exist; or postgresql://USER@HOST/DATABASE",
    )
    db_password_file: Path | None = setting(
        None, "file with the password for PostgreSQL; without it PGPASSWORD, PGPASSFILE or ~/.pgpass is used"
    )
    db_readers: int = setting(
        2,
        "connections to PostgreSQL for history and recovery; one more is for writing and one for lookups",
        minimum=1,
        maximum=64,
    )
    db_timeout_s: float = setting(
        10.0,
        "seconds that PostgreSQL may take for a statement, or to become reachable at the start",
        minimum=0.1,
        maximum=600,
    )
    synchronous: str = setting(
        "full",
        "full: acknowledged messages survive a power cut; normal: they survive only a crash of the process",
        choices=("full", "normal"),
    )
    commit_delay_ms: float = setting(
        5.0,
        "milliseconds that messages without an acknowledgement may wait to share a commit with others; 0: no wait",
        minimum=0,
        maximum=1_000,
    )
    retention_days: float = setting(
        0.0,
        "days after which a message is deleted, except the newest of all, unless the clock is in doubt (see `chatd "
        "clock`); 0: never",
        minimum=0,
        maximum=36_500,
        live=True,
    )
    search: str = setting(
        "off",
        "on: messages can be searched by words (`buscar`); the index takes about as much disk space as the texts, and "
        "its first start reads all messages; off: an existing index is dropped",
        choices=("off", "on"),
    )
    busy_timeout_s: float = setting(
        2.0, "seconds that a commit waits while another program locks the database", minimum=0.0, maximum=60
    )
    min_free_bytes: int = setting(
        67_108_864,
        "bytes that must stay free on the disk of the database; below that, messages are refused; 0: no minimum",
        minimum=0,
        maximum=1_125_899_906_842_624,
    )
    max_waiting_rows: int = setting(
        50_000, "messages that may wait for the disk; more are refused", minimum=1, maximum=10_000_000
    )
    max_waiting_bytes: int = setting(
        67_108_864,
        "bytes of memory for the texts of waiting messages; more are refused",
        minimum=65_536,
        maximum=17_179_869_184,
    )

    def __post_init__(self) -> None:
        """Rules P-02, P-03."""
        if not is_postgres(self.db):
            return
        check_url(self.db, "db", "a file that --db-password-file names, or into PGPASSFILE")
        if has_several_hosts(self.db):
            raise ConfigError(
                "db: a URL with several hosts is refused, because they do not have the same messages at the same time: "
                "name one address that always leads to the primary"
            )
