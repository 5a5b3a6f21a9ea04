"""Builds the webhooks of a running daemon."""

from __future__ import annotations

import asyncio
import functools
import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chatd.auth.files import read
from chatd.base.errors import ConfigError
from chatd.base.tasks import Tasks
from chatd.chat.chat import Chat
from chatd.settings.credentials import handed_over
from chatd.settings.reload import Apply
from chatd.store.base import Message
from chatd.webhooks.address import parse_target
from chatd.webhooks.client import Poster
from chatd.webhooks.config import Webhook
from chatd.webhooks.courier import Courier
from chatd.webhooks.events import Event, said
from chatd.webhooks.hook import Hook
from chatd.webhooks.signing import parse_secret

MAX_SECRET_BYTES = 4_096


class Recipe(NamedTuple):
    """How to create a webhook. A running one is kept if both its configuration and its secret are the same."""

    config: Webhook
    secret: bytes
    make: Callable[[], Hook]
    """Raises ConfigError."""


def recipe_of(config: Webhook, chat: Chat) -> Recipe:
    """Raises ConfigError."""
    secret = secret_of(config)
    return Recipe(config, secret, functools.partial(_hook, config, secret, chat))


class Hooks:
    """All configured webhooks, from `start` to `close`. A reload may change them. Rule W-13."""

    def __init__(self) -> None:
        self.all: list[Hook] = []
        self._runs = False
        self._tasks = Tasks()
        self._change: asyncio.Task[None] | None = None

    def prepare(self, recipes: Sequence[Recipe]) -> Apply:
        """Webhooks with the same settings and secret are kept running. Raises ConfigError."""
        return functools.partial(self._use, [self._kept(each) for each in recipes])

    def start(self) -> None:
        self._runs = True
        for hook in self.all:
            hook.start()

    async def close(self) -> None:
        """Idempotent."""
        if self._change is not None:
            await asyncio.wait([self._change])
        for hook in self.all:
            await hook.close()

    def _kept(self, recipe: Recipe) -> Hook:
        same = [hook for hook in self.all if (hook.config, hook.courier.secret) == recipe[:2]]
        return same[0] if same else recipe.make()

    def _use(self, hooks: list[Hook]) -> None:
        ended = [hook for hook in self.all if hook not in hooks]
        begun = [hook for hook in hooks if hook not in self.all]
        self.all = hooks
        if self._runs and (ended or begun):
            self._change = self._tasks.start(_replace(ended, begun, self._change), "webhooks")


async def _replace(ended: Sequence[Hook], begun: Sequence[Hook], before: asyncio.Task[None] | None) -> None:
    """Wait for the change before, so that only one webhook of a name uses its position at a time."""
    if before is not None:
        await asyncio.wait([before])
    for hook in ended:
        await hook.close()
    for hook in begun:
        hook.start()


def secret_of(hook: Webhook) -> bytes:
    """Raises ConfigError."""
    setting = f"webhook {hook.name}: secret_file"
    path = handed_over(hook.credential, hook.secret_path, os.environ)
    try:
        text = read(path, setting, MAX_SECRET_BYTES).decode("ascii")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{setting}: {path} is no text in ASCII") from error
    return parse_secret(text, setting)


def poster_of(hook: Webhook) -> Poster:
    return Poster(parse_target(hook.url), private=hook.private_addresses, timeout_s=hook.timeout)


def _hook(config: Webhook, secret: bytes, chat: Chat) -> Hook:
    poster = poster_of(config)
    courier = Courier(config, secret, poster.post, time.time)
    return Hook(config, chat, functools.partial(made, config), courier, poster.close)


def made(config: Webhook, message: Message) -> Event | None:
    """The event of a message, or None if the webhook does not get it."""
    if "mensaje" not in config.events:
        return None
    return said(message) if message.supervisado or config.private else None
