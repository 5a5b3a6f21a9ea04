"""What an operator may have beside the chat's rules: a team, a search, an identity provider, API, webhooks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from chatd.chat.chat import Chat
from chatd.chat.parts import ChatParts
from chatd.daemon.config import Config, keeps_addresses
from chatd.ops.operations import Operations
from chatd.ops.watched import Watched
from chatd.settings.reload import Apply, Reload
from chatd.store.base import Store
from chatd.store.mail import forget_addresses

if TYPE_CHECKING:
    from chatd.api.listener import ApiListener
    from chatd.chat.provided import ProvidedKeys
    from chatd.store.textindex import TextIndex
    from chatd.team.waits import Waits
    from chatd.webhooks.opening import Hooks, Recipe


class Beside:
    """Opened by `build`, working from `start` to `close`."""

    def __init__(self, config: Config, operations: Operations, reload: Reload[Config], store: Store) -> None:
        self._config = config
        self._operations = operations
        self._reload = reload
        self._store = store
        self._texts: TextIndex | None = None
        self._api: ApiListener | None = None
        self._hooks: Hooks | None = None
        self._provided: ProvidedKeys | None = None
        self._works = False

    def open(self, watched: Watched, parts: ChatParts) -> None:
        """Raises ConfigError and ListenError."""
        self._operations.watch(watched)
        self._texts = parts.texts
        if self._config.api.api or parts.chat.node is not None:
            self._open_api(watched, parts)
        self._reload.add("webhooks", functools.partial(self._prepare_hooks, watched, parts.chat))
        self._prepare_hooks(watched, parts.chat, self._config)()
        use_provider = functools.partial(self._use_provider, watched, parts)
        use_provider(self._config)
        self._reload.add("identity provider", lambda read: functools.partial(use_provider, read))

    def _open_api(self, watched: Watched, parts: ChatParts) -> None:
        """For other systems; what they add to the deny list of one node goes to all. Raises as `open`."""
        from chatd.chat.denials import Denials  # noqa: PLC0415 - loaded only when used

        denials = Denials(self._config.auth, lambda auth: parts.door.prepare(parts.chat.namespace, auth)())
        self._reload.add("deny list of other systems", lambda read: functools.partial(denials.use, read.auth))
        parts.desk.answer_denials(denials)
        if self._config.api.api:
            from chatd.api.opening import open_api  # noqa: PLC0415 - likewise

            self._api = open_api(self._config, parts, denials, self._operations.sources(watched), self._reload)

    async def start(self) -> None:
        """Raises ConfigError."""
        await self._start_texts()
        if not keeps_addresses(self._config):
            await forget_addresses(self._store)
        self._works = True
        await self._operations.start()
        if self._api is not None:
            self._api.start()
        if self._hooks is not None:
            self._hooks.start()

    def _use_provider(self, watched: Watched, parts: ChatParts, config: Config) -> None:
        """The one that `config` names, if any. Cannot fail: what it imports was imported when keys were read."""
        watched.providers.clear()
        if config.auth.jwks_url is None:
            if self._provided is not None:
                self._provided.use(config.auth)
            return
        if self._provided is None:
            from chatd.chat.provided import ProvidedKeys  # noqa: PLC0415 - loaded only when used

            self._provided = ProvidedKeys(parts.door, parts.chat.namespace)
            watched.refusals["provider"] = self._provided.refused.items
        watched.providers.append(self._provided)
        self._provided.use(config.auth)

    async def close(self) -> None:
        """Idempotent."""
        if self._provided is not None:
            await self._provided.close()
        hooks, self._hooks = self._hooks, None
        if hooks is not None:
            await hooks.close()
        api, self._api = self._api, None
        if api is not None:
            await api.close()
        await self._operations.close()
        if self._texts is not None:
            await self._texts.close()

    async def _start_texts(self) -> None:
        if self._texts is not None:
            await self._texts.make()
            self._texts.start()
        elif self._config.chat.bus is None:  # other nodes may have an index
            from chatd.store.textless import drop_index  # noqa: PLC0415 - forgotten after the start

            await drop_index(self._store, self._config.store.db)

    def _prepare_hooks(self, watched: Watched, chat: Chat, config: Config) -> Apply:
        """Nothing is loaded before there is one. Raises ConfigError."""
        if self._hooks is None:
            if not config.webhooks and not config.notify:
                return _nothing
            from chatd.webhooks.opening import Hooks  # noqa: PLC0415 - loaded only when used

            self._hooks = Hooks(watched.hooks)
            if self._works:
                self._hooks.start()
        return self._hooks.prepare([*_webhooks(config, chat), *_mailboxes(config, chat)])


def _webhooks(config: Config, chat: Chat) -> list[Recipe]:
    from chatd.webhooks.opening import recipe_of  # noqa: PLC0415 - as in _prepare_hooks

    return [recipe_of(each, chat) for each in config.webhooks]


def _mailboxes(config: Config, chat: Chat) -> list[Recipe]:
    if not config.notify:
        return []
    from chatd.notify.opening import recipe_of  # noqa: PLC0415 - as in _prepare_hooks

    return [recipe_of(each, chat) for each in config.notify]


def features(config: Config, chat: Chat) -> tuple[Waits | None, TextIndex | None]:
    """Add the features that are configured; returns what metrics read of a team, and the index of the search."""
    waits: Waits | None = None
    if config.chat.admin_messages == "team":
        from chatd.team.features import join  # noqa: PLC0415 - loaded only when used

        waits = join(config.team, chat).waits
    if keeps_addresses(config):
        from chatd.notify.addresses import Addresses  # noqa: PLC0415 - likewise

        chat.router.add(Addresses(chat, from_tokens=config.auth.email_claim is not None).feature)
    if config.store.search == "off":
        return waits, None
    from chatd.chat.history.search import join_search  # noqa: PLC0415 - likewise

    return waits, join_search(config.store, chat)


def _nothing() -> None:
    """There is no webhook, and there was none."""
