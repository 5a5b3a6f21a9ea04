"""`chatd dev`: the daemon for this machine only, with its own secret, links into the console, and tokens.

Cookies belong to a host name, not to a port: a user and an admin in one browser would share them. So the links use two
names of this machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shlex
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chatd.auth.keys import load_signing_key
from chatd.auth.mint import mint
from chatd.base.errors import ConfigError
from chatd.cli import serve
from chatd.cli.arguments import add_settings, given_settings
from chatd.cli.started import started_as
from chatd.cli.state import StateFolder, state_folder
from chatd.daemon.config import FILE_SETTING, Config, Raw, load
from chatd.listen.loopback import is_loopback
from chatd.listen.tcp import bare
from chatd.settings.options import Option
from chatd.web.entries import Entries, Entry

TOKEN_LIFE_S: Final = 7 * 86_400

# Settings with which the console shows more. They are safe here, because all clients are the developer's.
_SHOWS_MORE: Final[Mapping[str, str]] = {"console": "true", "payload": "full", "echo": "on", "recovery": "on"}

# Origins of development servers on this machine, on any port.
_ORIGINS: Final = [
    f"{scheme}://{host}{port}"
    for scheme in ("http", "https")
    for host in ("localhost", "127.0.0.1", "[::1]")
    for port in ("", ":*")
]

# The first page of each role.
_PAGES: Final[Mapping[str, str]] = {"user": "/chatd/demo", "admin": "/chatd/"}

# Another name of the same machine for each host.
_OTHER_NAMES: Final[Mapping[str, str]] = {"127.0.0.1": "localhost", "::1": "localhost", "localhost": "127.0.0.1"}

# Ignored, so that tokens of a deployment are not valid here, nor tokens from here there. The configuration file of the
# deployment is ignored too, because it names its database.
_KEY_SETTINGS: Final = frozenset(
    {"jwt_secret", "jwt_secret_file", "jwt_public_key_file", "jwt_algorithm", "jwks_url", "jwks_file"}
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="folder of the secret and the database (default: chatd in $XDG_STATE_HOME or in ~/.local/state)",
    )
    add_settings(parser, _offered, file=False)


def run(args: argparse.Namespace) -> int:
    state = state_folder(args.state, os.environ)
    config = configure(state, given_settings(args), os.environ)
    entries = Entries()

    def announce(port: int) -> None:
        found = dataclasses.replace(config, listen=dataclasses.replace(config.listen, port=port))
        print(links(found, entries, time.time()) + how_to_connect(found, state, time.time()), flush=True)

    return serve.start(config, entries=entries, announce=announce)  # it ends with its terminal


def configure(state: StateFolder, flags: Mapping[str, Raw], environ: Mapping[str, str]) -> Config:
    """The configuration of `chatd dev`. Raises ConfigError if another machine could connect."""
    ignored = {f"CHATD_{name.upper()}" for name in _KEY_SETTINGS | {FILE_SETTING}}
    config = load(
        flags,
        {name: value for name, value in environ.items() if name not in ignored},
        own={**_SHOWS_MORE, "origin": _ORIGINS, "jwt_secret_file": str(state.secret_file), "db": str(state.database)},
        own_origin="chatd dev",
    )
    for host in config.listen.host:
        if is_loopback(bare(host)):
            continue
        raise ConfigError(
            f"host: chatd dev serves this machine alone, and {host} is not 127.0.0.1, ::1 or localhost; use chatd serve"
        )
    state.prepare()
    return config


def links(config: Config, entries: Entries, now: float) -> str:
    """The text with a one-time link for each role; empty without the console."""
    if not config.web.console:
        return ""
    host = bare(config.listen.host[0])
    secret = load_signing_key(config.auth).material
    found = {}
    for who, name in (("user", _OTHER_NAMES.get(host, host)), ("admin", host)):
        cookie = f"{config.auth.cookie}={_token(config, secret, who, now)}"
        entry = Entry(cookie, _PAGES[who], TOKEN_LIFE_S, secure=_url(config).startswith("https:"))
        found[who] = _url(config, name) + entries.add(entry)
    return LINKS.format(**found)


def how_to_connect(config: Config, state: StateFolder, now: float) -> str:
    """Instructions and code to connect as a user and as an admin."""
    secret = load_signing_key(config.auth).material
    user, admin = (_token(config, secret, who, now) for who in ("user", "admin"))
    return PAGE.format(
        url=_url(config),
        cookie=config.auth.cookie,
        path=config.engineio.path,
        user=user,
        admin=admin,
        database=config.store.db,
        state=state.path,
        chatd=_called(),
    )


LINKS: Final = """\
Open these in a browser; each works once:
  a user, on a page with the widget:  {user}
  an admin, in the console:           {admin}

"""

PAGE: Final = """\
chatd dev at {url}, messages in {database}, secret in {state}

As a user, from Node.js (npm install socket.io-client), in one shell:
  const {{ io }} = require("socket.io-client");
  const user = io("{url}", {{ path: "{path}", extraHeaders: {{ cookie: "{cookie}={user}" }} }});
  user.on("mensaje_recibido", console.log).on("connect_error", console.log);
  user.emit("mensaje_privado", {{ para: "admin", mensaje: "hola" }}, console.log);

As an admin, in another:
  const {{ io }} = require("socket.io-client");
  const admin = io("{url}", {{ path: "{path}", extraHeaders: {{ cookie: "{cookie}={admin}" }} }});
  admin.on("mensaje_recibido", console.log).on("connect_error", console.log);
  admin.emit("mensaje_privado", {{ para: "user", mensaje: "buenos dias" }}, console.log);

In a browser, on a page of the same host, before it connects:
  document.cookie = "{cookie}={user}; path=/; SameSite=Strict"
  document.cookie = "{cookie}={admin}; path=/; SameSite=Strict"
On a page of a development server, such as http://localhost:5173, with a token from here:
  const socket = io("{url}", {{ path: "{path}", auth: {{ token: "{user}" }} }});
Tokens for others: {chatd} token --dev --user U --rol R --ttl 8h
"""


def _called() -> str:
    """The command for a shell; `make run` installs chatd outside of the PATH."""
    words = started_as()
    on_path = shutil.which("chatd")
    is_found = on_path is not None and len(words) == 1 and Path(on_path).samefile(words[0])
    return "chatd" if is_found else shlex.join(words)


def _offered(option: Option) -> bool:
    return option.name not in _KEY_SETTINGS


def _url(config: Config, name: str | None = None) -> str:
    """The URL of the daemon, with its own host or another `name` of it."""
    listen = config.listen
    name = name or bare(listen.host[0])
    scheme = "https" if listen.tls_cert is not None and listen.tls_port is None else "http"
    host = f"[{name}]" if ":" in name else name
    return f"{scheme}://{host}:{listen.port}"


def _token(config: Config, secret: bytes, who: str, now: float) -> str:
    audience = next(iter(config.auth.jwt_audience), None)
    return mint(secret, who, who.capitalize(), who, TOKEN_LIFE_S, now, issuer=config.auth.jwt_issuer, audience=audience)
