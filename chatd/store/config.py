"""The settings of the store."""

from __future__ import annotations

import dataclasses

from chatd.settings import setting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """Where messages are kept, how hard they are pushed to the disk, and how many may wait for it."""

    db: str = setting("chatd.db", "file of the SQLite database; it is created when it does not exist")
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
