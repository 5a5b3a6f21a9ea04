"""The e-mail address of each user, kept at CONNECT, and `avisos`, by which a user says no to mail.

Rules M-06, M-11 and M-12.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.chat import Chat
from chatd.chat.events import EventCode, parse_fields
from chatd.chat.feature import Feature
from chatd.chat.latest import Latest
from chatd.chat.member import Author, Member
from chatd.chat.underway import UnderWay
from chatd.notify.wishes import set_wish, wants_mail
from chatd.socketio.socket import Reply
from chatd.store.base import Store, StoreCode, StoreError
from chatd.store.placeholders import numbered, rows

MAX_UNDER_WAY: Final = 1_000
MAX_UNDER_WAY_EACH: Final = 10

log = logging.getLogger("chatd.notify")


class Wishes(msgspec.Struct, frozen=True):
    """The acknowledgement of `avisos`: the current choice."""

    ok: bool = True
    correo: bool = True


class Addresses:
    """One for the chat."""

    def __init__(self, chat: Chat, *, from_tokens: bool) -> None:
        """`from_tokens`: they are in a claim; else chatd asks for them (finder.py)."""
        self._from_tokens = from_tokens
        self._store = chat.store
        self._latest: Latest[str] = Latest(chat, self._put, _warn)
        self._under_way = UnderWay(MAX_UNDER_WAY, MAX_UNDER_WAY_EACH, _busy)

    @property
    def feature(self) -> Feature:
        return Feature(events={"avisos": self._on_wish}, on_join=self._meet if self._from_tokens else None)

    def _meet(self, member: Member) -> None:
        self._latest.keep(member.identity.user, member.identity.email or "")

    async def _put(self, some: Mapping[str, str]) -> None:
        """Of a user without an address there is no row, unless there was one."""
        found = [(user, some[user]) for user in sorted(some) if some[user]]
        if found:
            await self._store.run(_PUT.format(rows=rows(len(found), 2)), [value for pair in found for value in pair])
        if none := [user for user in sorted(some) if not some[user]]:
            await self._store.run(_FORGET.format(users=numbered(len(none))), none)

    def _on_wish(self, member: Author, args: list[object], reply: Reply | None) -> None:
        user = member.identity.user
        self._under_way.begin(member, reply, lambda: self._wishes(user, _wish(args)), "avisos")

    async def _wishes(self, user: str, wish: bool | None) -> Wishes:
        if wish is None:
            return Wishes(correo=await wants_mail(self._store, user))
        await set_wish(self._store, user, wants_mail=wish)
        return Wishes(correo=wish)


async def silenced(store: Store, addresses: Sequence[str]) -> Collection[str]:
    """The `addresses`, in lower case, whose users have all opted out of mail. Raises StoreError."""
    small = [address.lower() for address in addresses]
    return {address for (address,) in await store.query(_SILENCED.format(addresses=numbered(len(small))), small)}


def _wish(args: list[object]) -> bool | None:
    """None for a question. Raises RefusedError."""
    fields = parse_fields(args or [{}], "avisos takes one object: {correo?}.")
    value = fields.get("correo")
    if "correo" in fields and not isinstance(value, bool):
        raise RefusedError(EventCode.CORREO_INVALID, "correo must be true or false.")
    return value if isinstance(value, bool) else None


def _busy() -> RefusedError:
    return RefusedError(StoreCode.BUSY, "Too many events of this kind are under way: try again.")


def _warn(error: StoreError) -> None:
    log.warning("addresses are not stored", extra={"code": error.code})


_PUT: Final = """
    INSERT INTO correos (quien, correo) VALUES {rows}
    ON CONFLICT (quien) DO UPDATE SET correo = excluded.correo WHERE correos.correo <> excluded.correo
"""
_FORGET: Final = "UPDATE correos SET correo = '' WHERE correo <> '' AND quien IN ({users})"
_SILENCED: Final = """
    SELECT lower(correo) FROM correos WHERE lower(correo) IN ({addresses}) GROUP BY lower(correo)
    HAVING min(silencio) = 1
"""
