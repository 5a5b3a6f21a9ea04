"""A database without an index of texts: what an earlier start with `search` has left is dropped. Rule C-91."""

from __future__ import annotations

import logging

from . import textsql
from .base import Store, StoreError

log = logging.getLogger("chatd.store")


async def drop_index(store: Store, db: str) -> None:
    """Where it cannot be dropped, as by a SQLite without FTS5, nothing follows the messages any more at least."""
    try:
        for statement in textsql.of(db).drop:
            await store.run(statement)
    except StoreError as error:
        log.warning(
            "the index of texts could not be dropped", extra={"code": error.code, "cause": repr(error.__cause__)}
        )
