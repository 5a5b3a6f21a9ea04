"""Builds the hooks of a running daemon."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence

from chatd.auth.files import read
from chatd.chat.parts import ChatParts
from chatd.errors import ConfigError
from chatd.store.base import Message
from chatd.webhooks.address import parse_target
from chatd.webhooks.client import Poster
from chatd.webhooks.config import Webhook
from chatd.webhooks.courier import Courier
from chatd.webhooks.events import Event, said
from chatd.webhooks.hook import Hook
from chatd.webhooks.signing import parse_secret

MAX_SECRET_BYTES = 4_096


class Hooks:
    """All that are configured, from `start` to `close`."""

    def __init__(self, config: Sequence[Webhook], chat: ChatParts) -> None:
        """Raises ConfigError."""
        self.all = [_hook(each, chat) for each in config]

    def start(self) -> None:
        for hook in self.all:
            hook.start()

    async def close(self) -> None:
        """Idempotent."""
        for hook in self.all:
            await hook.close()


def secret_of(hook: Webhook) -> bytes:
    """Raises ConfigError."""
    setting = f"webhook {hook.name}: secret_file"
    try:
        text = read(hook.secret_path, setting, MAX_SECRET_BYTES).decode("ascii")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{setting}: {hook.secret_path} is no text in ASCII") from error
    return parse_secret(text, setting)


def poster_of(hook: Webhook) -> Poster:
    return Poster(parse_target(hook.url), private=hook.private_addresses, timeout_s=hook.timeout)


def _hook(config: Webhook, chat: ChatParts) -> Hook:
    secret, poster = secret_of(config), poster_of(config)

    courier = Courier(config, secret, poster.post, time.time)
    return Hook(config, chat.router, functools.partial(made, config), courier)


def made(config: Webhook, message: Message) -> Event | None:
    """The event of a message, if the hook is told of it."""
    if "mensaje" not in config.events:
        return None
    return said(message) if message.supervisado or config.private else None
