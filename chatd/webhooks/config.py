"""`[[webhook]]` in the configuration file. Rule W-01."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from chatd.base.errors import ConfigError
from chatd.webhooks.tables import read_tables

MAX_HOOKS: Final = 100

URL: Final = re.compile(r"(?=[!-~]+\Z)https?://[^/?#@]+(?:[/?][^#]*)?")
"""In ASCII, as a request has it: other characters are percent-encoded, and names of hosts in punycode."""


EventType = Literal["mensaje", "sin_respuesta", "conversacion", "presencia"]


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One receiver. Times are in seconds."""

    name: str
    url: str
    secret_file: str
    events: Annotated[tuple[EventType, ...], Meta(min_length=1)] = ("mensaje",)
    private: bool = False
    """Also messages that not every admin may read."""
    answers: bool = True
    """Also messages that the desk writes, as far as the hook is told of them: a team's, and private ones."""
    unanswered: Annotated[float, Meta(gt=0, le=2_592_000)] = 300.0
    """How long a user waits for an answer before `sin_respuesta`."""
    unattended: Annotated[float, Meta(ge=0, le=86_400)] = 10.0
    """For how long no admin is connected before `sin_respuesta` comes at once."""
    pause: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    """From one round of `sin_respuesta` to the next; who is answered meanwhile is left out."""
    private_addresses: bool = False
    """Let the URL be an address of this machine or of a private network."""
    timeout: Annotated[float, Meta(gt=0, le=300)] = 10.0
    parallel: Annotated[int, Meta(ge=1, le=100)] = 8
    max_tries: Annotated[int, Meta(ge=1, le=1_000)] = 10
    """Answers that refuse one event, before it is set aside while others are taken."""

    @property
    def secret_path(self) -> Path:
        return Path(self.secret_file).expanduser()

    @property
    def credential(self) -> str:
        """By which name systemd hands the secret over."""
        return f"webhook-{self.name}"


def read_webhooks(tables: Sequence[Mapping[str, Any]], wheres: Sequence[str]) -> tuple[Webhook, ...]:
    """`wheres` says of each table where it stands. Raises ConfigError."""
    hooks = read_tables("webhook", Webhook, MAX_HOOKS, tables, wheres)
    for hook, where in zip(hooks, wheres, strict=True):
        if not URL.fullmatch(hook.url):
            raise ConfigError(f"{where}: [[webhook]]: url must be http://... or https://..., without a password in it")
    return hooks
