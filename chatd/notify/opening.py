"""Makes the hooks of a running daemon that send mail."""

from __future__ import annotations

import functools
import os
import time

from chatd.auth.files import read
from chatd.base.errors import ConfigError
from chatd.chat.chat import Chat
from chatd.notify.config import Notify
from chatd.settings.credentials import handed_over
from chatd.store.base import Message
from chatd.webhooks.config import Webhook
from chatd.webhooks.courier import Courier
from chatd.webhooks.hook import Hook
from chatd.webhooks.opening import Recipe
from chatd.webhooks.waits import MAX_ON_THEIR_WAY

MAX_PASSWORD_BYTES = 4_096

PREFIX = "notify/"
"""Of the name that its position has, which no webhook can have."""


def recipe_of(config: Notify, chat: Chat) -> Recipe:
    """Raises ConfigError."""
    password = password_of(config)
    hook = Webhook(
        name=PREFIX + config.name,
        url="",
        secret_file="",
        events=("sin_respuesta",),
        unanswered=config.unanswered,
        unattended=config.unattended,
        pause=config.pause,
        parallel=MAX_ON_THEIR_WAY,
        max_tries=1_000,
    )
    # Nothing is signed: by these a reload knows whether anything has changed.
    identity = repr((config, password)).encode()
    return Recipe(hook, identity, functools.partial(_make, config, password, hook, identity, chat))


def _make(config: Notify, password: str, hook: Webhook, identity: bytes, chat: Chat) -> Hook:
    try:
        from chatd.notify.mail import Mailer  # noqa: PLC0415 - an extra, loaded only when used
    except ModuleNotFoundError as error:
        raise ConfigError(f"notify: it needs the package {error.name}: pip install 'chatd[mail]'") from error
    mailer = Mailer(config, password)
    return Hook(hook, chat, _no_message, Courier(hook, identity, mailer.post, time.time), mailer.close)


def password_of(config: Notify) -> str:
    """Raises ConfigError."""
    if config.password_path is None:
        return ""
    setting = f"notify {config.name}: password_file"
    path = handed_over(config.credential, config.password_path, os.environ)
    try:
        return read(path, setting, MAX_PASSWORD_BYTES).decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{setting}: {path} is no text in UTF-8") from error


def _no_message(_message: Message) -> None:
    """Mails are about waits alone."""
