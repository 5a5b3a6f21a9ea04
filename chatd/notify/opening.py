"""Makes the hooks of a running daemon that send mail."""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from chatd.auth.files import read
from chatd.base.errors import ConfigError
from chatd.chat.chat import Chat
from chatd.notify.config import Notify
from chatd.notify.secrets import Secrets
from chatd.settings.credentials import handed_over
from chatd.webhooks.config import Webhook
from chatd.webhooks.courier import Courier
from chatd.webhooks.hook import Hook
from chatd.webhooks.opening import Recipe, made
from chatd.webhooks.waits import MAX_ON_THEIR_WAY

MAX_PASSWORD_BYTES = 4_096

_SECRET: Final = re.compile(r"[!-~]{16,4096}")

PREFIX = "notify/"
"""Of the name that its position has, which no webhook can have."""


def recipe_of(config: Notify, chat: Chat) -> Recipe:
    """Raises ConfigError."""
    password, email_secret = password_of(config), email_secret_of(config)
    is_desk = config.event == "sin_respuesta"
    hook = _hook_of_desk(config) if is_desk else _hook_of_users(config)
    # Nothing is signed: by these a reload knows whether anything has changed.
    identity = repr((config, password, email_secret)).encode()
    make: Callable[[], Hook] = functools.partial(_make_desk, config, password, hook, identity, chat)
    if not is_desk:
        make = functools.partial(_make_users, config, Secrets(password, email_secret, identity), hook, chat)
    return Recipe(hook, identity, functools.partial(_with_package, make))


def _hook_of_desk(config: Notify) -> Webhook:
    return Webhook(
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


def _hook_of_users(config: Notify) -> Webhook:
    return Webhook(name=PREFIX + config.name, url="", secret_file="", events=(), parallel=1)


def _with_package(make: Callable[[], Hook]) -> Hook:
    try:
        return make()
    except ModuleNotFoundError as error:
        raise ConfigError(f"notify: it needs the package {error.name}: pip install 'chatd[mail]'") from error


def _make_desk(config: Notify, password: str, hook: Webhook, identity: bytes, chat: Chat) -> Hook:
    from chatd.notify.addresses import silenced  # noqa: PLC0415 - loaded only when used
    from chatd.notify.mail import Mailer  # noqa: PLC0415 - with an extra, likewise

    mailer = Mailer(config, password, functools.partial(silenced, chat.store))
    return Hook(
        hook, chat, functools.partial(made, hook), Courier(hook, identity, mailer.post, time.time), mailer.close
    )


def _make_users(config: Notify, secrets: Secrets, hook: Webhook, chat: Chat) -> Hook:
    from chatd.notify.usermail import UserMail  # noqa: PLC0415 - as above

    return UserMail(config, secrets, hook, chat)


def password_of(config: Notify) -> str:
    """Raises ConfigError."""
    return _read(config.password_path, f"notify {config.name}: password_file", config.credential)


def email_secret_of(config: Notify) -> str:
    """Raises ConfigError."""
    setting = f"notify {config.name}: email_secret_file"
    secret = _read(config.email_secret_path, setting, config.email_credential)
    if config.email_secret_path is not None and not _SECRET.fullmatch(secret):
        raise ConfigError(f"{setting}: a secret is 16 to {MAX_PASSWORD_BYTES} visible characters of ASCII")
    return secret


def _read(file: Path | None, setting: str, credential: str) -> str:
    """Raises ConfigError."""
    if file is None:
        return ""
    path = handed_over(credential, file, os.environ)
    try:
        return read(path, setting, MAX_PASSWORD_BYTES).decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{setting}: {path} is no text in UTF-8") from error
