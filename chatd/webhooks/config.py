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
"""ASCII only, as in a request: other characters must be percent-encoded, and host names in punycode."""


EventType = Literal["mensaje", "sin_respuesta", "conversacion", "presencia"]


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One receiver. Times are in seconds."""

    name: str
    url: str
    secret_file: str
    events: Annotated[tuple[EventType, ...], Meta(min_length=1)] = ("mensaje",)
    private: bool = False
    """Also send messages that not every admin may read."""
    answers: bool = True
    """Also send messages that the desk writes, if the webhook gets them at all: a team's, and private ones."""
    unanswered: Annotated[float, Meta(gt=0, le=2_592_000)] = 300.0
    """Time that a user waits for an answer before `sin_respuesta` is sent."""
    unattended: Annotated[float, Meta(ge=0, le=86_400)] = 10.0
    """Time without a connected admin after which `sin_respuesta` is sent at once."""
    pause: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    """Time between two rounds of `sin_respuesta`; users answered meanwhile are left out."""
    private_addresses: bool = False
    """Allow addresses of this machine and of private networks."""
    timeout: Annotated[float, Meta(gt=0, le=300)] = 10.0
    parallel: Annotated[int, Meta(ge=1, le=100)] = 8
    max_tries: Annotated[int, Meta(ge=1, le=1_000)] = 10
    """Refusals after which an event is set aside, if other events are accepted."""

    @property
    def secret_path(self) -> Path:
        return Path(self.secret_file).expanduser()

    @property
    def credential(self) -> str:
        """The name of the systemd credential with the secret."""
        return f"webhook-{self.name}"


def read_webhooks(tables: Sequence[Mapping[str, Any]], wheres: Sequence[str]) -> tuple[Webhook, ...]:
    """`wheres` has the place of each table, for errors. Raises ConfigError."""
    hooks = read_tables("webhook", Webhook, MAX_HOOKS, tables, wheres)
    for hook, where in zip(hooks, wheres, strict=True):
        if not URL.fullmatch(hook.url):
            raise ConfigError(f"{where}: [[webhook]]: url must be http://... or https://..., without a password in it")
    return hooks
