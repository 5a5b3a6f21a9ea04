"""`chatd unit`: units for systemd, on stdout or in a folder."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chatd.cli.arguments import UsageError, add_settings, given_settings
from chatd.config import DEFAULT, FILE_SETTING, OPTIONS, Raw, load
from chatd.engineio.connections import connections_of
from chatd.listen.files import RESERVED
from chatd.ops.unit import Deployment, service_unit, socket_unit
from chatd.options import Option

# What the unit itself decides.
_OWN: Final = frozenset({"host", "port", "db", "jwt_secret", "jwt_secret_file"})

_INSTEAD: Final = {
    "db": "the service keeps its database in /var/lib/chatd",
    "jwt_secret": "the service takes the secret that --secret names",
    "jwt_secret_file": "the service takes the secret that --secret names",
}

_PATHS: Final = {option.name for option in OPTIONS if option.kind is Path} | {FILE_SETTING}

# Without a limit of clients, as many files as most systems allow.
MANY_FILES: Final = 524_288

_UNREACHABLE: Final = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 - PrivateTmp hides them

EPILOG: Final = """\
Put it to use, as root:
  install -d -m 0755 /etc/chatd
  (umask 077; openssl rand -hex 32 > /etc/chatd/jwt-secret)
  chatd unit > /etc/systemd/system/chatd.service
  chatd unit --socket > /etc/systemd/system/chatd.socket     # if a restart is to refuse no connection
  systemctl daemon-reload; systemctl enable --now chatd

With --socket the service is to be printed again with --with-socket: it then takes what the socket unit opened.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--socket", action="store_true", help="print chatd.socket instead, which systemd listens on")
    which.add_argument("--with-socket", action="store_true", help="print a service that goes with chatd.socket")
    parser.add_argument(
        "--secret",
        default="/etc/chatd/jwt-secret",
        metavar="FILE",
        help="the secret, readable by root alone; systemd hands it over (default /etc/chatd/jwt-secret)",
    )
    parser.add_argument(
        "--exec", metavar="FILE", help="the chatd to start, as an absolute path (default: the one that runs now)"
    )
    add_settings(parser, _passed_on)


def run(args: argparse.Namespace) -> int:
    given = given_settings(args)
    flags = _flags(given)
    config = load(given, {})
    files = connections_of(config.engineio.max_connections)
    about = Deployment(
        command=_command(args.exec),
        flags=flags,
        host=config.listen.host,
        port=config.listen.port,
        secret=args.secret,
        stop_timeout_s=config.listen.stop_timeout_s,
        open_files=files + RESERVED if files else MANY_FILES,
    )
    sys.stdout.write(socket_unit(about) if args.socket else service_unit(about, socket=args.with_socket))
    for name in sorted(_OWN - {"host", "port"}):
        if config.origins[name] != DEFAULT:
            print(f"chatd: {name} of {config.origins[name]} is not used: {_INSTEAD[name]}", file=sys.stderr)
    if about.command[0].startswith(_UNREACHABLE) and not args.socket:
        print(
            f"chatd: {about.command[0]} is in a folder that the service cannot see: install chatd elsewhere, such as "
            "in /opt/chatd, and name it with --exec",
            file=sys.stderr,
        )
    return 0


def _passed_on(option: Option) -> bool:
    return option.name not in _OWN - {"host", "port"}


def _flags(given: Mapping[str, Raw]) -> list[str]:
    """The settings of this command line, as flags of the service's. Raises UsageError for a relative path."""
    flags: list[str] = []
    for name, value in sorted(given.items()):
        if name in _OWN:
            continue
        flag = "--" + name.replace("_", "-")
        for one in [value] if isinstance(value, str) else value:
            if name in _PATHS and not Path(one.rpartition("=")[2]).is_absolute():
                raise UsageError(f"{flag}: {one} is no absolute path, and the service runs in another directory")
            flags += _written(flag, one)
    return flags


def _written(flag: str, value: str) -> list[str]:
    return [flag] if value == "true" else [f"--no-{flag[2:]}"] if value == "false" else [flag, value]


def _command(named: str | None) -> list[str]:
    if named is not None:
        if not Path(named).is_absolute():
            raise UsageError(f"--exec: {named} is no absolute path")
        return [named]
    found = shutil.which(sys.argv[0])
    if found is not None and Path(found).name == "chatd":
        return [os.path.abspath(found)]  # noqa: PTH100 - a link is to stay one: an upgrade moves it
    return [sys.executable, "-m", "chatd"]
