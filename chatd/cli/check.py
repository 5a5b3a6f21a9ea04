"""`chatd check`: checks everything that a start depends on. A daemon may run on the same files meanwhile."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.cli.arguments import add_settings, given_settings
from chatd.cli.checks.database import check_database, holder_of
from chatd.cli.checks.finding import Finding, Findings, Level
from chatd.cli.checks.keys import check_deny_list, check_keys
from chatd.cli.checks.network import check_client_dir, check_open_files, check_origins, check_proxies
from chatd.cli.checks.ports import check_admin_socket, check_ports
from chatd.cli.checks.provider import check_provider
from chatd.cli.checks.redis import check_redis
from chatd.cli.checks.reload import check_reload
from chatd.cli.checks.retention import check_clock, check_retention
from chatd.cli.checks.systems import check_api, check_mailboxes, check_webhooks
from chatd.daemon.config import DEFAULT, FILE_SETTING, OPTIONS, Config, Raw, config_file, load
from chatd.ops.config import admin_socket_of
from chatd.store.config import StoreConfig
from chatd.store.url import is_postgres

EXIT_CONFIG: Final = 78

_COLOURS: Final = {Level.OK: "\033[32m", Level.WARNING: "\033[33m", Level.ERROR: "\033[31m"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    findings = check(given_settings(args), os.environ)
    for finding in findings:
        print(_line(finding, coloured=sys.stdout.isatty()))
    return EXIT_CONFIG if any(finding.level is Level.ERROR for finding in findings) else 0


def check(flags: Mapping[str, Raw], environ: Mapping[str, str]) -> Findings:
    """The findings of all checks that apply to the configuration."""
    findings = Findings()
    try:
        config = load(flags, environ)
    except ConfigError as error:
        for problem in _problems(error, flags, environ):
            findings.error("configuration", problem)
        return findings
    findings.ok("configuration", _summary(config, flags, environ))
    check_keys(config.auth, findings)
    check_deny_list(config.auth, findings)
    check_provider(config.auth, findings)
    check_redis(config.chat, findings)
    holder = _check_database(config.store, findings)
    check_ports(config.listen, _listeners(config), holder, findings)
    if config.ops.admin_socket:
        admin_socket = admin_socket_of(config.ops, config.store.db)
        check_admin_socket(admin_socket, findings)
        check_reload(admin_socket, findings)
    if config.listen.tls_cert is not None:
        from chatd.cli.checks.certificate import check_certificate  # noqa: PLC0415 - it needs ssl

        check_certificate(config.listen, datetime.datetime.now(datetime.UTC), findings)
    check_client_dir(config.web, config.engineio.path, findings)
    check_origins(config.engineio, findings)
    check_proxies(config.engineio, findings)
    check_open_files(config.engineio, findings)
    check_api(config.api, findings)
    check_webhooks(config.webhooks, findings)
    check_mailboxes(config.notify, findings)
    return findings


def _listeners(config: Config) -> Mapping[str, tuple[str, int]]:
    """The addresses of the internal listener and the API, by setting."""
    found = {}
    if config.ops.internal:
        found["internal"] = config.ops.internal_address
    if config.api.api:
        found["api"] = config.api.api_address
    return found


def _check_database(config: StoreConfig, findings: Findings) -> int | None:
    """Check the database. Returns the process id of a daemon on this machine that holds it; see holder_of."""
    if is_postgres(config.db):
        from chatd.cli.checks.postgres import check_postgres  # noqa: PLC0415 - loaded only when used

        check_postgres(config, findings)
        check_clock(config, findings)
        return None
    database = Path(config.db).resolve()  # as the store does
    check_database(database, findings, config.min_free_bytes)
    check_retention(config, database, findings)
    return holder_of(database)


def _problems(error: ConfigError, flags: Mapping[str, Raw], environ: Mapping[str, str]) -> Sequence[str]:
    """All problems of the configuration file; a start reports only the first."""
    try:
        file = config_file(flags, environ)
    except ConfigError:
        file = None
    return file.problems if file is not None and file.problems else [str(error)]


def _summary(config: Config, flags: Mapping[str, Raw], environ: Mapping[str, str]) -> str:
    changed = sum(config.origins[option.name] != DEFAULT for option in OPTIONS)
    file = flags.get(FILE_SETTING) or environ.get("CHATD_CONFIG")
    return f"{file or 'no file'}, {changed} of {len(OPTIONS)} settings are not as by default"


def _line(finding: Finding, *, coloured: bool) -> str:
    level = f"{finding.level.value:7}"
    if coloured:
        level = f"{_COLOURS[finding.level]}{level}\033[0m"
    return f"{level} {finding.subject}: {finding.text}"
