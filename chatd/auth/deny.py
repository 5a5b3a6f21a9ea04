"""The operator's list of denied tokens and users. Rule C-25 of protocol.md.

# stolen on Monday
jti:4fd1c2a0-93a5
user:maria
user:" spaces around, or a quote in front: as a JSON string"

Spaces and tabs around a name that is not quoted do not belong to it; any other character does.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Final

from chatd.auth.config import AuthConfig
from chatd.auth.files import read
from chatd.auth.identity import Identity
from chatd.base.errors import ConfigError

MAX_BYTES: Final = 4_194_304

_BLANK: Final = " \t\r"


@dataclasses.dataclass(frozen=True, slots=True)
class DenyList:
    """Values of the claims `jti` and `user`, compared letter by letter."""

    jti: frozenset[str] = frozenset()
    user: frozenset[str] = frozenset()

    def denies(self, identity: Identity) -> bool:
        return identity.user in self.user or identity.token_id in self.jti


NONE_DENIED: Final = DenyList()


def load_deny_list(config: AuthConfig) -> DenyList:
    """The list in the operator's file; an empty one if there is no such setting. Raises ConfigError."""
    path = config.deny_file
    if path is None:
        return NONE_DENIED
    try:
        text = read(path, "deny_file", MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"deny_file: {path} is no text in UTF-8") from error
    named: dict[str, set[str]] = {"jti": set(), "user": set()}
    for number, line in enumerate(text.split("\n"), start=1):
        entry = line.strip(_BLANK)
        if entry and not entry.startswith("#"):
            kind, value = _parse(entry, f"deny_file: {path}, line {number}")
            named[kind].add(value)
    return DenyList(frozenset(named["jti"]), frozenset(named["user"]))


def _parse(entry: str, where: str) -> tuple[str, str]:
    kind, _, value = entry.partition(":")
    value = value.strip(_BLANK)
    if value.startswith('"'):
        value = _unquote(value)
    if kind not in {"jti", "user"} or not value:
        raise ConfigError(f"{where}: write jti:ID or user:NAME")  # the line may be a token
    return kind, value


def _unquote(value: str) -> str:
    """The text of a JSON string; nothing if it is none."""
    try:
        text = json.loads(value)
    except ValueError:
        return ""
    return text if isinstance(text, str) else ""
