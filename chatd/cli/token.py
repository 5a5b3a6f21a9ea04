"""`chatd token`: prints a token and nothing else, for scripts."""

from __future__ import annotations

import argparse
import os
import re
import time
from pathlib import Path
from typing import Final

from chatd.auth.errors import AuthError
from chatd.auth.keys import load_signing_key
from chatd.auth.mint import mint
from chatd.cli.arguments import UsageError, add_settings, given_settings
from chatd.cli.dev import configure
from chatd.cli.state import state_folder
from chatd.daemon.config import FILE_SETTING, Config, load
from chatd.settings.options import Option

_UNIT_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_MAX_TTL_S: Final = 3_650 * 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", required=True, metavar="U", help="the claim user: the name of the user")
    parser.add_argument("--name", metavar="N", help="the claim name (default: that of --user)")
    parser.add_argument(
        "--rol", default="user", metavar="R", help="the claim rol: admin, or anything else (default user)"
    )
    parser.add_argument(
        "--ttl", type=ttl_s, default="8h", metavar="TTL", help="how long it is valid: 30s, 15m, 8h, 7d (8h)"
    )
    parser.add_argument("--dev", action="store_true", help="sign with the secret of chatd dev")
    parser.add_argument("--state", type=Path, metavar="DIR", help="with --dev: the folder that chatd dev --state names")
    add_settings(parser, _signs)


def run(args: argparse.Namespace) -> int:
    config = _configuration(args)
    key = load_signing_key(config.auth)
    try:
        token = mint(
            key.material,
            args.user,
            args.user if args.name is None else args.name,
            args.rol,
            args.ttl,
            time.time(),
            algorithm=key.algorithm,
            kid=key.kid,
            issuer=config.auth.jwt_issuer,
            audience=next(iter(config.auth.jwt_audience), None),
        )
    except AuthError as error:
        raise UsageError(error.message) from error
    print(token)
    return 0


def ttl_s(text: str) -> int:
    """Seconds in `30s`, `15m`, `8h`, `7d`. Raises ArgumentTypeError."""
    match = re.fullmatch(r"([1-9][0-9]{0,9})([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time to live; write 30s, 15m, 8h or 7d")
    seconds = int(match[1]) * _UNIT_S[match[2]]
    if seconds > _MAX_TTL_S:
        raise argparse.ArgumentTypeError(f"{text} is longer than ten years")
    return seconds


def _configuration(args: argparse.Namespace) -> Config:
    flags = given_settings(args)
    if args.dev:
        if FILE_SETTING in flags:
            raise UsageError("--config goes without --dev")
        return configure(state_folder(args.state, os.environ), flags, os.environ)
    if args.state is not None:
        raise UsageError("--state goes with --dev")
    return load(flags, os.environ)


def _signs(option: Option) -> bool:
    """The settings that a token depends on."""
    return option.name in {
        "jwt_secret",
        "jwt_secret_file",
        "jwt_public_key_file",
        "jwt_algorithm",
        "jwt_issuer",
        "jwt_audience",
    }
