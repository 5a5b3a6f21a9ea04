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
"""Of several nodes, each commits a message so long after it made its id, or refuses it. Rule N-16."""

MAX_TIMEOUT_OF_NODES_S: Final = 20.0
"""For `db_timeout`, so that as much is left for a message that waits its turn."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """Where messages are kept, how hard they are pushed to the disk, and how many may wait for it."""

    db: str = setting(
        "chatd.db",
        "file of the SQLite database, which is created when it does not exist; or postgresql://USER@HOST/DATABASE",
    )
    db_password_file: Path | None = setting(
        None, "file with the password for PostgreSQL; without it PGPASSWORD, PGPASSFILE and ~/.pgpass are looked at"
    )
    db_readers: int = setting(
        2, "connections to PostgreSQL for history and recovery; two more write and look up", minimum=1, maximum=64
    )
    db_timeout_s: float = setting(
        10.0,
        "seconds that PostgreSQL may take for a statement, or to come up at the start",
        minimum=0.1,
        maximum=600,
    )
    synchronous: str = setting(
        "full",
        "full: an acknowledged message survives a power cut; normal: only the end of the process",
        choices=("full", "normal"),
    )
    commit_delay_ms: float = setting(
        5.0,
        "milliseconds that messages which asked for no acknowledgement may wait for others, to share a commit; 0: none",
        minimum=0,
        maximum=1_000,
    )
    retention_days: float = setting(
        0.0,
        "days after which a message is deleted, all but the newest one of all, if the clock is believed; 0: never",
        minimum=0,
        maximum=36_500,
        live=True,
    )
    search: str = setting(
        "off",
        "on: messages are found by the words in them (`buscar`); the index takes about as much room on the disk as the "
        "texts, and at its first start the time to read them all; off: an index that is there is dropped",
        choices=("off", "on"),
    )
    busy_timeout_s: float = setting(
        2.0, "seconds that a commit waits for another program that locks the database", minimum=0.0, maximum=60
    )
    min_free_bytes: int = setting(
        67_108_864,
        "bytes that must be free on the disk of the database, or messages are refused; 0: fill it to the last byte",
        minimum=0,
        maximum=1_125_899_906_842_624,
    )
    max_waiting_rows: int = setting(
        50_000, "messages that may wait for the disk; more are refused", minimum=1, maximum=10_000_000
    )
    max_waiting_bytes: int = setting(
        67_108_864,
        "bytes of memory that the texts of waiting messages may take; more are refused",
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
