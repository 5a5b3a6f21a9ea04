"""The table of users who may get mail (chatd/notify), empty without that feature. For both databases. Rule M-06."""

from __future__ import annotations

import logging
from typing import Final

from .base import Store, StoreError

log = logging.getLogger("chatd.store")

MAIL_TABLES: Final[tuple[str, ...]] = (
    # `correo`: the address in the user's last token; empty if it had none. `silencio`: 1 for a user who wants no mail.
    # `hasta`: the last answer that a mail reported; `enviado`: when it was sent, in milliseconds since 1970.
    """
    CREATE TABLE correos (
        quien TEXT PRIMARY KEY,
        correo TEXT NOT NULL DEFAULT '',
        silencio INTEGER NOT NULL DEFAULT 0,
        hasta INTEGER NOT NULL DEFAULT 0,
        enviado INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID
    """,
    # Several users may have one address. Addresses are ASCII, for which lower() works in both databases.
    "CREATE INDEX correos_correo ON correos (lower(correo))",
)

_FORGET: Final = "UPDATE correos SET correo = '' WHERE correo <> ''"


async def forget_addresses(store: Store) -> None:
    """Delete addresses that an earlier start has stored; the users' choices stay."""
    try:
        await store.run(_FORGET)
    except StoreError as error:
        log.warning("e-mail addresses could not be deleted", extra={"code": error.code})
