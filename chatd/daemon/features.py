"""Optional features of the chat, each as a part of the daemon. Features that are off are not imported."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chatd.base.part import Part
from chatd.chat.chat import Chat
from chatd.chat.recovery.recovery import Recovery
from chatd.daemon.config import Config, keeps_addresses

if TYPE_CHECKING:
    from chatd.chat.neighbours.neighbours import Neighbours


def features(config: Config, neighbours: Neighbours | None, chat: Chat, recovery: Recovery) -> Iterator[Part]:
    """The configured features, in the order in which their `on_join` is called."""
    if neighbours is not None:
        yield neighbours.join(chat, recovery)
    if config.chat.admin_messages == "team":
        from chatd.team.features import join  # noqa: PLC0415 - loaded only when used

        yield join(config.team, chat)
    yield _addresses(config, chat)
    yield _search(config, chat)


def _addresses(config: Config, chat: Chat) -> Part:
    """E-mail addresses of users."""
    if not keeps_addresses(config):
        from chatd.store.mail import forget_addresses  # noqa: PLC0415 - likewise

        return Part(start=functools.partial(forget_addresses, chat.store))
    from chatd.notify.addresses import Addresses  # noqa: PLC0415 - loaded only when used

    chat.router.add(Addresses(chat, from_tokens=config.auth.email_claim is not None).feature)
    return Part()


def _search(config: Config, chat: Chat) -> Part:
    if config.store.search != "off":
        from chatd.chat.history.search import join_search  # noqa: PLC0415 - loaded only when used

        return join_search(config.store, chat)
    if config.chat.bus is not None:  # other nodes may have an index
        return Part()
    from chatd.store.textless import drop_index  # noqa: PLC0415 - loaded only when used

    return Part(start=functools.partial(drop_index, chat.store, config.store.db))
