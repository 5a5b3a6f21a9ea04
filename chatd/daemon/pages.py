"""Answers requests that are not for Socket.IO: console, widget, client, and the page that stops mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatd.base.part import Live, Part
from chatd.daemon.config import Config
from chatd.engineio.exchange import Exchange
from chatd.engineio.origin import OriginPolicy
from chatd.engineio.server import not_found
from chatd.settings.reload import Apply
from chatd.store.base import Store

if TYPE_CHECKING:
    from chatd.web.entries import Entries

Answer = Callable[[Exchange], None]


class Pages:
    """The pages that the configuration turns on. A reload may change them."""

    def __init__(self, config: Config, entries: Entries | None, store: Store) -> None:
        """Raises ConfigError."""
        self._entries = entries
        self._store = store
        self._answer = self._answers(config)

    def __call__(self, exchange: Exchange) -> None:
        self._answer(exchange)

    @property
    def part(self) -> Part:
        return Part(live=[Live("pages", self.prepare)])

    def prepare(self, config: Config) -> Apply:
        """Raises ConfigError."""
        answer = self._answers(config)

        def use() -> None:
            self._answer = answer

        return use

    def _answers(self, config: Config) -> Answer:
        return with_stop_page(config, self._store, other_paths(config, self._entries))


def other_paths(config: Config, entries: Entries | None) -> Answer:
    """Console, widget and client. Raises ConfigError."""
    if not config.web.console and config.web.client_dir is None:
        return not_found
    from chatd.web.site import site  # noqa: PLC0415 - loaded only when used

    origins = OriginPolicy(config.engineio.origin, config.engineio.cors_credentials)
    return site(config.web, config.engineio.path, origins, config.auth.cookie, entries)


def with_stop_page(config: Config, store: Store, other: Answer) -> Answer:
    """`other` with the page on which a user stops mail, if a mailbox has a `public_url`. Raises ConfigError."""
    for mailbox in config.notify:
        if mailbox.public_url:
            from chatd.notify.opening import email_secret_of  # noqa: PLC0415 - loaded only when used
            from chatd.notify.stop import StopPage, key_of  # noqa: PLC0415 - likewise

            return StopPage(key_of(email_secret_of(mailbox)), store, other).on_request
    return other
