"""The keys of the API, and the operator's file of them. Rules A-02 to A-04.

# name    scopes        SHA-256 of the key
tienda    send,read     sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae

A key has 256 random bits, so a fast digest can be neither reversed nor guessed: a slow one, as for passwords, would
only make each wrong key more expensive for the daemon.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from chatd.auth.files import read
from chatd.base.errors import ConfigError
from chatd.chat.events import MAX_USER_CHARS

MAX_BYTES: Final = 1_048_576

PREFIX: Final = "chatd_"
"""Prefix of every key, so that secret scanners find a committed key."""

_NAME: Final = re.compile(rf"[\w.@+-]{{1,{MAX_USER_CHARS}}}")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")


class Scope(enum.StrEnum):
    """What a key may do."""

    SEND = "send"  # messages in the key's own name
    READ = "read"  # what an admin of the key's name may read, and the stream of events
    PEOPLE = "people"  # who is connected
    KICK = "kick"  # end connections, deny users and tokens
    COUNTS = "counts"  # the metrics
    IMPERSONATE = "impersonate"  # with `send` and `read`: in any user's name


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """One line of the file. `name` is the user that it speaks for."""

    name: str
    scopes: frozenset[Scope]
    digest: str

    def line(self) -> str:
        return f"{self.name} {','.join(scope for scope in Scope if scope in self.scopes)} sha256:{self.digest}"


Keys = Mapping[str, Key]
"""By digest."""


def new_key() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def load_keys(path: Path) -> Keys:
    """Raises ConfigError, which never quotes the file: a line may be a key."""
    try:
        text = read(path, "api_keys_file", MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"api_keys_file: {path} is no text in UTF-8") from error
    keys: dict[str, Key] = {}
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        key = _parse(entry.split(), f"api_keys_file: {path}, line {number}")
        if key.name in names or key.digest in keys:
            raise ConfigError(f"api_keys_file: {path}, line {number}: the name or the key is there twice")
        names.add(key.name)
        keys[key.digest] = key
    return keys


def check_name(name: str, where: str) -> str:
    """Raises ConfigError."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: a name has 1 to {MAX_USER_CHARS} letters, digits or any of . _ @ + -")
    return name


def parse_scopes(words: Iterable[str], where: str) -> frozenset[Scope]:
    """Raises ConfigError."""
    try:
        return frozenset(Scope(word) for word in words)
    except ValueError as error:
        raise ConfigError(f"{where}: the scopes are {', '.join(Scope)}, with commas between them") from error


def _parse(fields: list[str], where: str) -> Key:
    if len(fields) != 3 or (digest := _DIGEST.fullmatch(fields[2])) is None:
        raise ConfigError(f"{where}: write NAME SCOPES sha256:DIGEST, as chatd apikey new does")
    return Key(check_name(fields[0], where), parse_scopes(fields[1].split(","), where), digest[1])
