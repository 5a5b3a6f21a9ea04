"""Webhooks and mail. A reload may add and remove them; their code is loaded with the first one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chatd.base.part import Live, Part
from chatd.chat.chat import Chat
from chatd.daemon.config import Config

if TYPE_CHECKING:
    from chatd.webhooks.hook import Hook
    from chatd.webhooks.opening import Hooks, Recipe


class HooksOnDemand:
    """Creates `Hooks` when the configuration has the first webhook or mailbox."""

    def __init__(self, config: Config, chat: Chat) -> None:
        """Raises ConfigError."""
        self._chat = chat
        self._hooks: Hooks | None = None
        self._runs = False
        self._prepare(config)()

    @property
    def part(self) -> Part:
        live = Live("webhooks", self._prepare)
        return Part(start=self._start, close=self._close, live=[live], shown={"hooks": self._all})

    def _start(self) -> None:
        self._runs = True
        if self._hooks is not None:
            self._hooks.start()

    def _all(self) -> Sequence[Hook] | None:
        return None if self._hooks is None or not self._hooks.all else self._hooks.all

    async def _close(self) -> None:
        hooks, self._hooks = self._hooks, None
        if hooks is not None:
            await hooks.close()

    def _prepare(self, config: Config) -> Callable[[], None]:
        """Raises ConfigError."""
        if self._hooks is None:
            if not config.webhooks and not config.notify:
                return _nothing
            from chatd.webhooks.opening import Hooks  # noqa: PLC0415 - loaded only when used

            self._hooks = Hooks()
            if self._runs:
                self._hooks.start()
        return self._hooks.prepare([*_webhooks(config, self._chat), *_mailboxes(config, self._chat)])


def _webhooks(config: Config, chat: Chat) -> list[Recipe]:
    from chatd.webhooks.opening import recipe_of  # noqa: PLC0415 - loaded only when used

    return [recipe_of(each, chat) for each in config.webhooks]


def _mailboxes(config: Config, chat: Chat) -> list[Recipe]:
    if not config.notify:
        return []
    from chatd.notify.opening import recipe_of  # noqa: PLC0415 - loaded only when used

    return [recipe_of(each, chat) for each in config.notify]


def _nothing() -> None:
    """No webhook is configured, and none was before."""
