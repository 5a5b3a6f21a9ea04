"""`chatd dev`: the daemon for this machine alone, with a secret of its own and tokens to try it with."""

from __future__ import annotations

import argparse
import ipaddress
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chatd.auth.keys import load_signing_key
from chatd.auth.mint import mint
from chatd.cli import serve
from chatd.cli.arguments import add_settings, given_settings
from chatd.cli.state import StateFolder, state_folder
from chatd.config import FILE_SETTING, Config, Raw, load
from chatd.errors import ConfigError
from chatd.options import Option

TOKEN_LIFE_S: Final = 7 * 86_400

# Tokens of a real deployment must not hold here, nor these there; nor is its file read, which names its database too.
_KEY_SETTINGS: Final = frozenset({"jwt_secret", "jwt_secret_file", "jwt_public_key_file", "jwt_algorithm"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where the secret and the database are kept (default: chatd in $XDG_STATE_HOME or in ~/.local/state)",
    )
    add_settings(parser, _offered, file=False)


def run(args: argparse.Namespace) -> int:
    state = state_folder(args.state, os.environ)
    config = configure(state, given_settings(args), os.environ)
    print(how_to_connect(config, state, time.time()), flush=True)
    return serve.start(config, reloads=False)  # it ends with its terminal


def configure(state: StateFolder, flags: Mapping[str, Raw], environ: Mapping[str, str]) -> Config:
    """Raises ConfigError where somebody else than this machine could connect."""
    ignored = {f"CHATD_{name.upper()}" for name in _KEY_SETTINGS | {FILE_SETTING}}
    config = load(
        flags,
        {name: value for name, value in environ.items() if name not in ignored},
        own={"jwt_secret_file": str(state.secret_file), "db": str(state.database)},
        own_origin="chatd dev",
    )
    if not _is_loopback(config.listen.host):
        raise ConfigError(
            f"host: chatd dev serves this machine alone, and {config.listen.host} is not 127.0.0.1, ::1 or localhost; "
            "use chatd serve"
        )
    state.prepare()
    return config


def how_to_connect(config: Config, state: StateFolder, now: float) -> str:
    """What to paste where: a few lines for people."""
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
    )


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
Tokens for others: chatd token --dev --user U --rol R --ttl 8h
"""


def _offered(option: Option) -> bool:
    return option.name not in _KEY_SETTINGS


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(config: Config) -> str:
    listen = config.listen
    scheme = "https" if listen.tls_cert is not None and listen.tls_port is None else "http"
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return f"{scheme}://{host}:{listen.port or 'PORT'}"


def _token(config: Config, secret: bytes, who: str, now: float) -> str:
    audience = next(iter(config.auth.jwt_audience), None)
    return mint(secret, who, who.capitalize(), who, TOKEN_LIFE_S, now, issuer=config.auth.jwt_issuer, audience=audience)
