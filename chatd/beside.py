"""What works on the chat from outside: the operators' part, the API and webhooks where they are asked for."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from chatd.chat.parts import ChatParts
from chatd.config import Config
from chatd.ops.operations import Operations
from chatd.ops.watched import Watched
from chatd.reload import Apply, Reload

if TYPE_CHECKING:
    from chatd.api.listener import ApiListener
    from chatd.webhooks.opening import Hooks, Recipe


class Beside:
    """Opened by `build`, working from `start` to `close`."""

    def __init__(self, config: Config, operations: Operations, reload: Reload[Config]) -> None:
        self._config = config
        self._operations = operations
        self._reload = reload
        self._api: ApiListener | None = None
        self._hooks: Hooks | None = None
        self._works = False

    def open(self, watched: Watched, chat: ChatParts) -> None:
        """Raises ConfigError and ListenError."""
        self._operations.watch(watched)
        if self._config.api.api:
            from chatd.api.opening import open_api  # noqa: PLC0415 - memory, for those who want it

            self._api = open_api(self._config, chat, self._operations.sources(watched), self._reload)

        self._reload.add("webhooks", functools.partial(self._prepare_hooks, watched, chat))
        self._prepare_hooks(watched, chat, self._config)()

    async def start(self) -> None:
        self._works = True
        await self._operations.start()
        if self._api is not None:
            self._api.start()
        if self._hooks is not None:
            self._hooks.start()

    async def close(self) -> None:
        """Idempotent."""
        hooks, self._hooks = self._hooks, None
        if hooks is not None:
            await hooks.close()
        api, self._api = self._api, None
        if api is not None:
            await api.close()
        await self._operations.close()

    def _prepare_hooks(self, watched: Watched, chat: ChatParts, config: Config) -> Apply:
        """Nothing is loaded before there is one. Raises ConfigError."""
        if self._hooks is None:
            if not config.webhooks and not config.notify:
                return _nothing
            from chatd.webhooks.opening import Hooks  # noqa: PLC0415 - memory, for those who want it

            self._hooks = Hooks(watched.hooks)
            if self._works:
                self._hooks.start()
        return self._hooks.prepare([*_webhooks(config, chat), *_mailboxes(config, chat)])


def _webhooks(config: Config, chat: ChatParts) -> list[Recipe]:
    from chatd.webhooks.opening import recipe_of  # noqa: PLC0415 - as in _prepare_hooks

    return [recipe_of(each, chat) for each in config.webhooks]


def _mailboxes(config: Config, chat: ChatParts) -> list[Recipe]:
    if not config.notify:
        return []
    from chatd.notify.opening import recipe_of  # noqa: PLC0415 - as in _prepare_hooks

    return [recipe_of(each, chat) for each in config.notify]


def _nothing() -> None:
    """There is no webhook, and there was none."""
