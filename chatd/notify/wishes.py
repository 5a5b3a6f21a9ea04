"""Whether a user wants mail, in the database. Rules M-11 and M-15."""

from __future__ import annotations

from typing import Final

from chatd.store.base import Store

_WISH: Final = """
    INSERT INTO correos (quien, silencio) VALUES (?1, ?2) ON CONFLICT (quien) DO UPDATE SET silencio = excluded.silencio
"""
_WISHED: Final = "SELECT silencio FROM correos WHERE quien = ?1"


async def set_wish(store: Store, user: str, *, wants_mail: bool) -> None:
    """Raises StoreError."""
    await store.run(_WISH, (user, int(not wants_mail)))


async def wants_mail(store: Store, user: str) -> bool:
    """True until a user has said so. Raises StoreError."""
    rows = await store.query(_WISHED, (user,))
    return not rows or not rows[0][0]
