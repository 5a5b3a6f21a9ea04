"""The whole configuration: one frozen dataclass per part, merged from flag > environment > default.

Every part declares its own settings in its own folder; this page only lists the parts and merges the sources. How a
declaration becomes a name and how a text becomes a value is in options.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from chatd.auth.config import AuthConfig
from chatd.chat.config import ChatConfig
from chatd.engineio.config import EngineConfig
from chatd.engineio.origins import LETS_ANYBODY_IN
from chatd.errors import ConfigError
from chatd.listen.config import ListenConfig
from chatd.logs import LogConfig
from chatd.options import VARIABLE_PREFIX, Option, options_of
from chatd.socketio.config import SocketIoConfig
from chatd.store.config import StoreConfig
from chatd.web.config import WebConfig

DEFAULT: Final = "default"

Raw = str | Sequence[str]
"""What a source gives for one setting: a text, or several for one that may be repeated."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting of the daemon; a title per part is what --help says above its flags."""

    listen: ListenConfig = dataclasses.field(default=ListenConfig(), metadata={"title": "listening"})
    auth: AuthConfig = dataclasses.field(default=AuthConfig(), metadata={"title": "tokens"})
    chat: ChatConfig = dataclasses.field(default=ChatConfig(), metadata={"title": "chat"})
    store: StoreConfig = dataclasses.field(default=StoreConfig(), metadata={"title": "database"})
    engineio: EngineConfig = dataclasses.field(default=EngineConfig(), metadata={"title": "sessions and transports"})
    socketio: SocketIoConfig = dataclasses.field(default=SocketIoConfig(), metadata={"title": "Socket.IO packets"})
    web: WebConfig = dataclasses.field(default=WebConfig(), metadata={"title": "console"})
    log: LogConfig = dataclasses.field(default=LogConfig(), metadata={"title": "logs"})
    origins: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    """Where each value comes from, by public name: a flag, a variable, "default", or what a verb calls its own."""


PARTS: Final[Mapping[str, type]] = {
    field.name: type(field.default) for field in dataclasses.fields(Config) if "title" in field.metadata
}
TITLES: Final[Mapping[str, str]] = {
    field.name: field.metadata["title"] for field in dataclasses.fields(Config) if "title" in field.metadata
}
OPTIONS: Final[tuple[Option, ...]] = options_of(PARTS)

# They stand for one another: a flag for one of them outranks a variable for another.
_KEY_SOURCES: Final = frozenset({"jwt_secret", "jwt_secret_file", "jwt_public_key_file"})


def load(
    flags: Mapping[str, Raw],
    environ: Mapping[str, str],
    own: Mapping[str, str] | None = None,
    own_origin: str = DEFAULT,
) -> Config:
    """The configuration that the sources add up to. `flags` and `own` go by public name, `environ` by variable.

    `own` are defaults of the verb that asks, weaker than the environment, and `own_origin` is how they are called. A
    variable that is set to nothing counts as not set. Raises ConfigError, which says what to change.
    """
    _refuse_unknown(environ)
    values: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    origins: dict[str, str] = {}
    for option in OPTIONS:
        found = _from_flag(option, flags) or _from_environment(option, flags, environ)
        if found is None and own is not None and option.name in own:
            found = own[option.name], own_origin
        origins[option.name] = DEFAULT if found is None else found[1]
        if found is not None:
            values[option.part][option.field] = _value(option, *found)
    parts = {part: cls(**values[part]) for part, cls in PARTS.items()}
    config = Config(**parts, origins=origins)
    _refuse_any_origin(config)
    return config


def _refuse_any_origin(config: Config) -> None:
    """Identity is a cookie, which browsers send along whichever page connects."""
    if LETS_ANYBODY_IN.intersection(config.engineio.origin) and not config.engineio.insecure_any_origin:
        raise ConfigError(
            "origin: with * (or null) any page of the web could speak for whoever visits it, because the cookie "
            f"{config.auth.cookie} says who that is: list the pages' origins, or take --insecure-any-origin"
        )


def _from_flag(option: Option, flags: Mapping[str, Raw]) -> tuple[Raw, str] | None:
    if option.flag is None or option.name not in flags:
        return None
    return flags[option.name], option.flag


def _from_environment(option: Option, flags: Mapping[str, Raw], environ: Mapping[str, str]) -> tuple[Raw, str] | None:
    text = environ.get(option.variable)
    if not text or (option.name in _KEY_SOURCES and not _KEY_SOURCES.isdisjoint(flags)):
        return None
    if not option.repeatable:
        return text, option.variable
    return [piece.strip() for piece in text.split(",") if piece.strip()], option.variable


def _value(option: Option, raw: Raw, source: str) -> object:
    if not option.repeatable:
        return option.parse(str(raw), source)
    return tuple(option.parse(one, source) for one in ([raw] if isinstance(raw, str) else raw))


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    """A variable that nobody reads is a setting that its owner believes in."""
    known = [option.variable for option in OPTIONS]
    for name, value in environ.items():
        if name.startswith(VARIABLE_PREFIX) and value and name not in known:
            raise ConfigError(f"{name}: there is no such setting{did_you_mean(name, known)}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence: the valid name that is nearest, or where all of them are."""
    import difflib  # noqa: PLC0415 - needed at most once, on the way out

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else "; see chatd serve --help for all of them"
