"""The settings that SIGHUP applies to a running daemon: those declared with `live=True`, webhooks and mail.

All others keep their value from the start, because it is in use: an address is bound, a database is open, clients
were told the ping interval.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from chatd.base.errors import ConfigError
from chatd.daemon.config import OPTIONS, PARTS, Config, refuse_any_origin, refuse_events_that_never_come, speaks_tls

log = logging.getLogger("chatd.settings.reload")


def take_over(running: Config, read: Config) -> Config:
    """`running` with the live settings of `read`. Raises ConfigError if the result is inconsistent."""
    changes: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    left = []
    for option in OPTIONS:
        value = getattr(getattr(read, option.part), option.field)
        if value == getattr(getattr(running, option.part), option.field):
            continue
        if option.about.live and not _begins_or_ends_a_team(option.name, running, read):
            changes[option.part][option.field] = value
        else:
            left.append(option.name)
    parts = {part: dataclasses.replace(getattr(running, part), **fields) for part, fields in changes.items()}
    config = dataclasses.replace(running, webhooks=read.webhooks, notify=read.notify, **parts)
    refuse_any_origin(config)
    refuse_events_that_never_come(config)
    if speaks_tls(config) and not speaks_tls(running):
        raise ConfigError("the first webhook or mail server that needs TLS needs a restart: this daemon runs without")
    if left:
        log.warning("these settings wait for the next start", extra={"settings": ", ".join(left)})
    return config


def _begins_or_ends_a_team(name: str, running: Config, read: Config) -> bool:
    """Whether the change needs a restart: a team is created only at the start. Rule D-02."""
    return name == "admin_messages" and "team" in (running.chat.admin_messages, read.chat.admin_messages)
