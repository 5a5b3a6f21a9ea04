"""`chatd unit`: prints units for systemd."""

from __future__ import annotations

import argparse
import ipaddress
import sys
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from chatd.cli.arguments import UsageError, add_settings, given_settings
from chatd.cli.started import started_as
from chatd.daemon.config import DEFAULT, FILE_SETTING, OPTIONS, Config, Raw, load
from chatd.engineio.connections import connections_of
from chatd.listen.config import ListenConfig
from chatd.listen.files import RESERVED
from chatd.listen.tcp import EVERY_ADDRESS, bare, shown
from chatd.ops.unit import FOLDER, RUNTIME_FOLDER, Deployment, escaped, service_unit, socket_unit
from chatd.store.url import is_postgres

# Files that only root can read; systemd gives the service a copy.
_SECRETS: Final = (
    *("jwt_secret_file", "tls_cert", "tls_key", "db_password_file"),
    *("bus_password_file", "bus_cert_file", "bus_key_file", "bus_adapter_password_file", "api_keys_file"),
)

_LISTENING: Final = frozenset({"host", "port", "tcp", "unix", "unix_mode"})
"""Settings that chatd.socket replaces."""

_DEFAULT_SECRET: Final = Path("/etc/chatd/jwt-secret")

_DEFAULT_DB: Final = ("--db", "%S/chatd/chatd.db")

# The limit of open files without a limit of clients: as many as most systems allow.
MANY_FILES: Final = 524_288

_UNREACHABLE: Final = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 - PrivateTmp hides them

EPILOG: Final = """\
To install it, as root:
  install -d -m 0755 /etc/chatd
  (umask 077; openssl rand -hex 32 > /etc/chatd/jwt-secret)
  chatd config --changed --jwt-secret-file /etc/chatd/jwt-secret --db /var/lib/chatd/chatd.db > /etc/chatd/chatd.toml
  chatd unit --config /etc/chatd/chatd.toml > /etc/systemd/system/chatd.service
  systemctl daemon-reload; systemctl enable --now chatd

Settings in the file also apply to chatd check and chatd config. Settings in flags are only in the unit.

To refuse no connection during a restart, let systemd listen instead; stop a running service once for this:
  chatd unit --socket --config /etc/chatd/chatd.toml > /etc/systemd/system/chatd.socket
  chatd unit --with-socket --config /etc/chatd/chatd.toml > /etc/systemd/system/chatd.service
  systemctl daemon-reload; systemctl stop chatd; systemctl enable --now chatd.socket chatd

A database outside of /var/lib/chatd must belong to a user that exists before the service starts:
  useradd --system chatd; install -d -o chatd -g chatd -m 0700 /data/chatd

A unix socket must be in /run/chatd, as in --unix /run/chatd/http; a proxy of another user needs --unix-mode 666.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--socket", action="store_true", help="print chatd.socket instead, with which systemd listens")
    which.add_argument("--with-socket", action="store_true", help="print a service that uses chatd.socket")
    parser.add_argument(
        "--secret",
        type=Path,
        metavar="FILE",
        help="the secret, the same as --jwt-secret-file (default /etc/chatd/jwt-secret)",
    )
    parser.add_argument(
        "--exec", metavar="FILE", help="absolute path of the chatd to start (default: the one that runs now)"
    )
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    given = given_settings(args)
    if FILE_SETTING in given:
        _require_absolute({FILE_SETTING: given[FILE_SETTING]})
    config = load(given, {})
    _require_absolute(_paths(config))
    by_systemd = args.socket or args.with_socket
    if by_systemd and config.listen.tls_port is not None:
        raise UsageError("--tls-port: chatd.socket has one kind of port: leave --tls-port out, and --port speaks TLS")
    about = _deployment(args, given, config, by_systemd=by_systemd)
    sys.stdout.write(socket_unit(about) if args.socket else service_unit(about, socket=args.with_socket))
    unreachable = next((path for path in about.command if path.startswith(_UNREACHABLE)), None)
    if unreachable is not None and not args.socket:
        print(
            f"chatd: {unreachable} is in a folder that the service cannot see: install chatd elsewhere, such as "
            "in /opt/chatd, and name it with --exec",
            file=sys.stderr,
        )
    return 0


def _deployment(args: argparse.Namespace, given: Mapping[str, Raw], config: Config, *, by_systemd: bool) -> Deployment:
    listen = config.listen
    secrets = _secrets(config, args.secret)
    flags = _flags(given, {*_SECRETS, *(_LISTENING if by_systemd else ())})
    if config.origins["db"] == DEFAULT:
        flags = [*_DEFAULT_DB, *flags]
    files = connections_of(config.engineio.max_connections)
    command = _command(args.exec)
    return Deployment(
        command=command,
        unpacks=zipfile.is_zipfile(command[-1]),
        flags=[*(flag for secret in secrets for flag in secret.flags), *flags],
        finding=_finding(config) if config.ops.admin_socket else (),
        credentials={secret.name: secret.path for secret in secrets},
        addresses=addresses(listen) if args.socket else (),
        socket_mode=listen.unix_mode,
        ports=() if by_systemd else [*([listen.port] if listen.tcp else []), listen.tls_port or 0],
        has_unix=_opens_unix(listen) and not by_systemd,
        folder=_folder(config.store.db),
        needs_network=is_postgres(config.store.db) or bool(config.chat.bus or config.chat.bus_adapter_url),
        stop_timeout_s=listen.stop_timeout_s,
        open_files=files + RESERVED if files else MANY_FILES,
    )


class _Secret(NamedTuple):
    """A file that only root can read, and the flag for the service's copy of it."""

    name: str
    path: str
    flags: Sequence[str]


def _secrets(config: Config, secret: Path | None) -> list[_Secret]:
    """The secret files, each with the flag for its copy; the flag overrides the configuration file."""
    auth, listen = config.auth, config.listen
    files: dict[str, tuple[Path | None, ...]] = {
        "jwt_secret_file": (secret,) if secret is not None else auth.jwt_secret_file,
        "tls_cert": (listen.tls_cert,),
        "tls_key": (listen.tls_key,),
        "db_password_file": (config.store.db_password_file,),
        "bus_password_file": (config.chat.bus_password_file,),
        "bus_cert_file": (config.chat.bus_cert_file,),
        "bus_key_file": (config.chat.bus_key_file,),
        "bus_adapter_password_file": (config.chat.bus_adapter_password_file,),
        "api_keys_file": (config.api.api_keys_file,),
    }
    if not files["jwt_secret_file"] and not auth.has_keys_of_others:
        files["jwt_secret_file"] = (_DEFAULT_SECRET,)
    found = []
    for setting in _SECRETS:
        for number, file in enumerate(one for one in files[setting] if one is not None):
            name = setting.replace("_", "-").removesuffix("-file") + (f"-{number + 1}" if number else "")
            kid, equals, path = str(file).rpartition("=")
            flag = "--" + setting.replace("_", "-")
            found.append(_Secret(name, path, (flag, kid.replace("%", "%%") + equals + f"%d/{name}")))
    return [*found, *_secrets_of_tables(config)]


def _secrets_of_tables(config: Config) -> list[_Secret]:
    """The secrets of webhooks and mailboxes; the daemon finds them by name (chatd/settings/credentials.py)."""
    files = [(hook.credential, hook.secret_path) for hook in config.webhooks]
    files += [(notify.credential, notify.password_path) for notify in config.notify if notify.password_path]
    files += [(each.email_credential, each.email_secret_path) for each in config.notify if each.email_secret_path]
    return [_Secret(name, str(path), ()) for name, path in files]


def addresses(listen: ListenConfig) -> list[str]:
    """The addresses for chatd.socket. Raises UsageError for addresses that systemd cannot listen at."""
    found = [str(listen.unix)] if listen.unix is not None else []
    for host in (bare(host) for host in listen.host) if listen.tcp else ():
        try:
            ipaddress.ip_address(host)
        except ValueError as error:
            raise UsageError(f"--host: chatd.socket listens at addresses, and {host} is a name") from error
        found.append(shown(host, listen.port))
        if host == EVERY_ADDRESS:
            found.append(f"0.0.0.0:{listen.port}")
    return list(dict.fromkeys(found))


def _finding(config: Config) -> list[str]:
    """The flags by which `chatd reload` finds the daemon. Not --config: the daemon itself must report a wrong file."""
    if config.ops.admin_socket_file is not None:
        return ["--admin-socket-file", escaped(str(config.ops.admin_socket_file))]
    return [*_DEFAULT_DB] if config.origins["db"] == DEFAULT else ["--db", escaped(config.store.db)]


def _opens_unix(listen: ListenConfig) -> bool:
    """Whether the service opens a unix socket. Raises UsageError for a folder that it cannot write."""
    if listen.unix is not None and not listen.unix.is_relative_to(RUNTIME_FOLDER):
        raise UsageError(f"--unix: the service can make a socket in {RUNTIME_FOLDER} alone: {RUNTIME_FOLDER}/http")
    return listen.unix is not None


def _folder(db: str) -> str | None:
    """The folder of the database; None if it is the folder that systemd creates for the service."""
    path = Path(db)
    if is_postgres(db) or not path.is_absolute() or path.is_relative_to(FOLDER):
        return None
    if db.startswith(_UNREACHABLE):
        raise UsageError(f"--db: {db} is in a folder that the service cannot see: take another, such as /data")
    return str(path.parent)


def _paths(config: Config) -> dict[str, object]:
    """The paths in flags and in the configuration file, by setting."""
    named = {}
    for option in OPTIONS:
        is_path = option.kind is Path or (option.name == "db" and not is_postgres(config.store.db))
        if is_path and config.origins[option.name] != DEFAULT:
            named[option.name] = getattr(getattr(config, option.part), option.field)
    return named | {secret.name: secret.path for secret in _secrets_of_tables(config)}


def _require_absolute(named: Mapping[str, object]) -> None:
    """Raises UsageError for a relative path, because the service runs in another directory."""
    for name, value in named.items():
        for one in value if isinstance(value, tuple) else (value,):
            if not Path(str(one).rpartition("=")[2]).is_absolute():
                flag = "--" + name.replace("_", "-")
                raise UsageError(f"{flag}: {one} is no absolute path, and the service runs in another directory")


def _flags(given: Mapping[str, Raw], without: Collection[str]) -> list[str]:
    """The settings of this command line, as flags of the service."""
    flags: list[str] = []
    for name, value in sorted(given.items()):
        if name not in without:
            for one in [value] if isinstance(value, str) else value:
                flags += map(escaped, _written("--" + name.replace("_", "-"), one))
    return flags


def _written(flag: str, value: str) -> list[str]:
    return [flag] if value == "true" else [f"--no-{flag[2:]}"] if value == "false" else [flag, value]


def _command(named: str | None) -> list[str]:
    """The command that starts chatd: `named`, or that of this process. Raises UsageError."""
    if named is None:
        return started_as()
    if not Path(named).is_absolute():
        raise UsageError(f"--exec: {named} is no absolute path")
    return [named]
