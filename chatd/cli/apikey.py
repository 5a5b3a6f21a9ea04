"""`chatd apikey new`: prints a new key of the API, and adds its digest to the file of keys."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from chatd.api.keys import Key, Scope, check_name, digest_of, load_keys, new_key, parse_scopes
from chatd.base.errors import ConfigError
from chatd.cli.arguments import UsageError, add_settings, given_settings
from chatd.daemon.config import FILE_SETTING, load
from chatd.settings.options import Option

OWNER_AND_GROUP = 0o640
"""The file holds digests; a daemon that runs as another user reads it by its group."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["new"], help="new: make a key")
    parser.add_argument("name", metavar="NAME", help="the name of the key; its messages are from this name")
    parser.add_argument(
        "--scope",
        action="append",
        required=True,
        choices=[*Scope],
        help="a permission of the key; send: in its own name; impersonate: send and read in the name of any user",
    )
    add_settings(parser, _names_the_file)


def run(args: argparse.Namespace) -> int:
    path = _path(args)
    key = new_key()
    entry = Key(check_name(args.name, "apikey"), parse_scopes(args.scope, "apikey"), digest_of(key))
    _add(path, entry)
    print(key)
    return 0


def _path(args: argparse.Namespace) -> Path:
    path = load(given_settings(args), {k: v for k, v in os.environ.items() if k != "CHATD_API"}).api.api_keys_file
    if path is None:
        raise UsageError("name the file of keys: --api-keys-file FILE, or api_keys_file in the configuration file")
    return path


def _names_the_file(option: Option) -> bool:
    return option.name in {"api_keys_file", FILE_SETTING}


def _add(path: Path, entry: Key) -> None:
    """Append the key. Raises ConfigError if the file is invalid or already has that name, and OSError."""
    before = ""
    with contextlib.suppress(FileNotFoundError):
        before = path.read_text(encoding="utf-8")
        if entry.name in {key.name for key in load_keys(path).values()}:
            raise ConfigError(f"api_keys_file: {path} has a key of {entry.name} already: remove its line first")
    lead = "\n" if before and not before.endswith("\n") else ""
    path.touch(OWNER_AND_GROUP)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{lead}{entry.line()}\n")
        file.flush()
        os.fsync(file.fileno())
