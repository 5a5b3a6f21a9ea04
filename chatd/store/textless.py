"""Without `search`: drops the index of texts that an earlier start has made. Rule C-91."""

from __future__ import annotations

import logging

from . import textsql
from .base import Store, StoreError

log = logging.getLogger("chatd.store")


async def drop_index(store: Store, db: str) -> None:
    """Drop the index. If that fails (a SQLite without FTS5, for example), log it; the index is not updated any more."""
    try:
        for statement in textsql.of(db).drop:
            await store.run(statement)
    except StoreError as error:
        log.warning(
            "the index of texts could not be dropped", extra={"code": error.code, "cause": repr(error.__cause__)}
        )
