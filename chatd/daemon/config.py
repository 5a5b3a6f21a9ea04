"""The whole configuration: one frozen dataclass per part, merged from flag > environment > file > default.

Each part declares its settings in its own folder; this module lists the parts and merges the sources.
settings/options.py derives names and parses values; settings/file.py reads the file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatd.api.config import ApiConfig
from chatd.auth.config import AuthConfig
from chatd.base.errors import ConfigError
from chatd.chat.config import ChatConfig
from chatd.engineio.config import EngineConfig
from chatd.engineio.origins import UNRESTRICTED
from chatd.listen.config import ListenConfig
from chatd.logs.stderr import LogConfig
from chatd.ops.config import OpsConfig
from chatd.settings.file import ConfigFile, read_config_file
from chatd.settings.options import VARIABLE_PREFIX, Option, options_of
from chatd.socketio.config import SocketIoConfig
from chatd.store.config import MAX_TIMEOUT_OF_NODES_S, StoreConfig
from chatd.store.url import is_postgres
from chatd.team.config import TeamConfig
from chatd.web.config import WebConfig

if TYPE_CHECKING:
    from chatd.notify.config import Notify
    from chatd.webhooks.config import Webhook

DEFAULT: Final = "default"

FILE_SETTING: Final = "config"
"""The flag --config and the variable CHATD_CONFIG: the path of the file. It is not a setting itself."""

Raw = str | Sequence[str]
"""The value of one setting in a source: a text, or several if the setting is repeatable."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings of the daemon. The title of a part is its heading in --help."""

    listen: ListenConfig = dataclasses.field(default=ListenConfig(), metadata={"title": "listening"})
    auth: AuthConfig = dataclasses.field(default=AuthConfig(), metadata={"title": "tokens"})
    chat: ChatConfig = dataclasses.field(default=ChatConfig(), metadata={"title": "chat"})
    team: TeamConfig = dataclasses.field(default=TeamConfig(), metadata={"title": "team of admins"})
    store: StoreConfig = dataclasses.field(default=StoreConfig(), metadata={"title": "database"})
    engineio: EngineConfig = dataclasses.field(default=EngineConfig(), metadata={"title": "sessions and transports"})
    socketio: SocketIoConfig = dataclasses.field(default=SocketIoConfig(), metadata={"title": "Socket.IO packets"})
    web: WebConfig = dataclasses.field(default=WebConfig(), metadata={"title": "console"})
    ops: OpsConfig = dataclasses.field(default=OpsConfig(), metadata={"title": "operators"})
    api: ApiConfig = dataclasses.field(default=ApiConfig(), metadata={"title": "API for other systems"})
    log: LogConfig = dataclasses.field(default=LogConfig(), metadata={"title": "logs"})
    webhooks: tuple[Webhook, ...] = ()
    notify: tuple[Notify, ...] = ()
    origins: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    """The source of each value, by public name: a flag, a variable, `FILE:LINE`, "default", or the name that a verb
    gives its own defaults.
    """


PARTS: Final[Mapping[str, type]] = {
    field.name: type(field.default) for field in dataclasses.fields(Config) if "title" in field.metadata
}
TITLES: Final[Mapping[str, str]] = {
    field.name: field.metadata["title"] for field in dataclasses.fields(Config) if "title" in field.metadata
}
OPTIONS: Final[tuple[Option, ...]] = options_of(PARTS)

# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_OF_KUBERNETES: Final = re.compile(VARIABLE_PREFIX + r"(SERVICE_(HOST|PORT).*|PORT_[0-9]+_TCP.*)")

# Alternatives: a flag for one of them overrides a variable for any other, and a variable a line of the file.
_KEY_SOURCES: Final = frozenset({"jwt_secret", "jwt_secret_file", "jwt_public_key_file", "jwks_url", "jwks_file"})


def load(
    flags: Mapping[str, Raw],
    environ: Mapping[str, str],
    own: Mapping[str, Raw] | None = None,
    own_origin: str = DEFAULT,
) -> Config:
    """Merge the sources. `flags` and `own` have public names as keys, `environ` names of variables.

    `own` are defaults of the calling verb, which the file overrides; `own_origin` is their name in `origins`. An empty
    variable counts as not set. Raises ConfigError, which says what to change.
    """
    _refuse_unknown(environ)
    sources = _Sources(flags, environ, _without_problems(config_file(flags, environ)), own or {}, own_origin)
    values: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    origins: dict[str, str] = {}
    for option in OPTIONS:
        found = sources.find(option)
        origins[option.name] = DEFAULT if found is None else found[1]
        if found is not None:
            values[option.part][option.field] = found[0]
    try:
        parts = {part: cls(**values[part]) for part, cls in PARTS.items()}
        config = Config(**parts, webhooks=_webhooks(sources.file), notify=_notify(sources.file), origins=origins)
        refuse_any_origin(config)
        refuse_lonely_bus(config)
        refuse_slow_commits_of_nodes(config)
        refuse_api_without_certificate(config)
        refuse_events_that_never_come(config)
    except ConfigError as error:
        raise _with_line(error, sources.file, origins) from error
    return config


def config_file(flags: Mapping[str, Raw], environ: Mapping[str, str]) -> ConfigFile | None:
    """The file that a flag or variable names, if any. No default path is tried: a folder must not change the daemon.

    Raises ConfigError if the file cannot be read. Its content may have problems.
    """
    named = flags.get(FILE_SETTING) or environ.get(VARIABLE_PREFIX + FILE_SETTING.upper())
    return read_config_file(Path(str(named)), OPTIONS) if named else None


def _without_problems(file: ConfigFile | None) -> ConfigFile | None:
    if file is not None and file.problems:
        first, *others = file.problems
        raise ConfigError(f"{first} (and {len(others)} more: see chatd check)" if others else first)
    return file


@dataclasses.dataclass(frozen=True, slots=True)
class _Sources:
    """All sources, in order of precedence."""

    flags: Mapping[str, Raw]
    environ: Mapping[str, str]
    file: ConfigFile | None
    own: Mapping[str, Raw]
    own_origin: str

    def find(self, option: Option) -> tuple[Any, str] | None:
        """The value and its source; None if no source sets it."""
        return self._flag(option) or self._variable(option) or self._in_file(option) or self._own(option)

    def _flag(self, option: Option) -> tuple[Any, str] | None:
        if option.flag is None or option.name not in self.flags:
            return None
        return _value(option, self.flags[option.name], option.flag), option.flag

    def _variable(self, option: Option) -> tuple[Any, str] | None:
        text = self.environ.get(option.variable)
        if not text or (option.name in _KEY_SOURCES and not _KEY_SOURCES.isdisjoint(self.flags)):
            return None
        pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
        return _value(option, pieces if option.repeatable else text, option.variable), option.variable

    def _in_file(self, option: Option) -> tuple[Any, str] | None:
        if self.file is None or option.name not in self.file.values:
            return None
        if option.name in _KEY_SOURCES and self._names_keys():
            return None
        return self.file.values[option.name], self.file.origins[option.name]

    def _own(self, option: Option) -> tuple[Any, str] | None:
        if option.name not in self.own:
            return None
        return _value(option, self.own[option.name], self.own_origin), self.own_origin

    def _names_keys(self) -> bool:
        """Whether a flag or a variable sets one of _KEY_SOURCES."""
        variables = {VARIABLE_PREFIX + name.upper() for name in _KEY_SOURCES}
        return not _KEY_SOURCES.isdisjoint(self.flags) or any(self.environ.get(name) for name in variables)


def refuse_any_origin(config: Config) -> None:
    """Identity is a cookie, and browsers send it whatever page opens the connection. Raises ConfigError."""
    if UNRESTRICTED.intersection(config.engineio.origin) and not config.engineio.insecure_any_origin:
        raise ConfigError(
            "origin: with * (or null) any page of the web could speak for whoever visits it, because the cookie "
            f"{config.auth.cookie} says who that is: list the pages' origins, or take --insecure-any-origin"
        )


def refuse_lonely_bus(config: Config) -> None:
    """Nodes share one database; a SQLite file belongs to one daemon. Rule N-01. Raises ConfigError."""
    if config.chat.bus is not None and not is_postgres(config.store.db):
        raise ConfigError(
            "bus: several daemons share one PostgreSQL database: give --db postgresql://USER@HOST/DATABASE, or take "
            "--bus out"
        )


def refuse_slow_commits_of_nodes(config: Config) -> None:
    """Rule N-16. Raises ConfigError."""
    if config.chat.bus is not None and config.store.db_timeout_s > MAX_TIMEOUT_OF_NODES_S:
        raise ConfigError(
            f"db_timeout: of several daemons, each gives a commit up after {MAX_TIMEOUT_OF_NODES_S:.0f} s at most"
        )


def refuse_api_without_certificate(config: Config) -> None:
    """Raises ConfigError."""
    if config.api.api_tls and config.listen.tls_cert is None:
        raise ConfigError("api_tls: the API has the certificate of the main listener: give --tls-cert FILE")


def speaks_tls(config: Config) -> bool:
    """Whether this daemon uses TLS, as a server or as a client. This must be known when asyncio is loaded."""
    return (
        config.listen.tls_cert is not None
        or is_postgres(config.store.db)
        or config.chat.has_tls
        or any(hook.url.startswith("https:") for hook in config.webhooks)
        or any(notify.security != "none" or notify.email_url.startswith("https:") for notify in config.notify)
    )


def keeps_addresses(config: Config) -> bool:
    """Whether the database may have e-mail addresses of users."""
    return config.auth.email_claim is not None or any(notify.email_url for notify in config.notify)


def refuse_events_that_never_come(config: Config) -> None:
    """Rules W-11, W-14 and M-07. Raises ConfigError."""
    if not keeps_addresses(config) and any(notify.event == "no_leido" for notify in config.notify):
        raise ConfigError(
            "email_claim: mail to users needs their addresses: give --email-claim NAME or email_url, or take "
            "no_leido out of [[notify]]"
        )
    for hook in config.webhooks:
        if "presencia" in hook.events and config.chat.presence == "off":
            raise ConfigError(
                f"webhook {hook.name}: events: presencia needs --presence on: give it, or take the event out"
            )
        if "conversacion" in hook.events and config.chat.admin_messages != "team":
            raise ConfigError(
                f"webhook {hook.name}: events: only a team of admins has the event conversacion: give --admin-messages "
                "team, or take it out"
            )


def _webhooks(file: ConfigFile | None) -> tuple[Webhook, ...]:
    """Raises ConfigError."""
    found = [] if file is None else file.lists.get("webhook", [])
    if not found:
        return ()
    from chatd.webhooks.config import read_webhooks  # noqa: PLC0415 - loaded only when used

    return read_webhooks([table for table, _ in found], [where for _, where in found])


def _notify(file: ConfigFile | None) -> tuple[Notify, ...]:
    """Raises ConfigError."""
    found = [] if file is None else file.lists.get("notify", [])
    if not found:
        return ()
    from chatd.notify.config import read_notify  # noqa: PLC0415 - loaded only when used

    return read_notify([table for table, _ in found], [where for _, where in found])


def _with_line(error: ConfigError, file: ConfigFile | None, origins: Mapping[str, str]) -> ConfigError:
    """Add the line of the setting to an error from the check of a whole part, which does not know it."""
    name = str(error).partition(":")[0]
    if file is None or name not in file.origins or file.origins[name] != origins[name]:
        return error
    return ConfigError(f"{error} ({origins[name]})")


def _value(option: Option, raw: Raw, source: str) -> object:
    if not option.repeatable:
        return option.parse(str(raw), source)
    return tuple(option.parse(one, source) for one in ([raw] if isinstance(raw, str) else raw))


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    """Refuse unknown variables: else a misspelt setting would be ignored silently."""
    known = [*(option.variable for option in OPTIONS), VARIABLE_PREFIX + FILE_SETTING.upper()]
    for name, value in environ.items():
        if _OF_KUBERNETES.fullmatch(name) and value:
            raise ConfigError(
                f"{name}: Kubernetes sets this, and CHATD_PORT too, where a service is called chatd: give the pod "
                "enableServiceLinks: false, or the service another name"
            )
        if name.startswith(VARIABLE_PREFIX) and value and name not in known:
            raise ConfigError(f"{name}: there is no such setting{did_you_mean(name, known)}")


def did_you_mean(name: str, known: Iterable[str], page: str = "chatd serve --help") -> str:
    """The end of a sentence: the valid name that is nearest, or the page that has all of them."""
    import difflib  # noqa: PLC0415 - needed at most once, on the way out

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; see {page} for all of them"
