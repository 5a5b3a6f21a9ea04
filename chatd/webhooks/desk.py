"""Who writes for the desk of a team, so that an answer is in the order of its user's conversation. Rule W-04."""

from __future__ import annotations

from collections.abc import Iterable, Set

from chatd.chat.chat import Chat
from chatd.store.base import Message
from chatd.store.placeholders import numbered


async def desk_of(chat: Chat, messages: Iterable[Message]) -> Set[str]:
    """Authors of `messages` who are admins of a team, or systems that speak for it. Raises StoreError.

    Without a team an admin's message is not supervised, which says enough.
    """
    if chat.config.admin_messages != "team":
        return frozenset()
    authors = sorted({message.de for message in messages if message.supervisado})
    marks = numbered(len(authors)) or "NULL"
    sql = f"SELECT quien FROM nombres WHERE admin > 0 AND quien IN ({marks})"  # noqa: S608 - numbers of ours
    return {user for (user,) in await chat.store.query(sql, authors)} | set(filter(chat.supervision.is_admin, authors))
