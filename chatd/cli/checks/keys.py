"""Checks keys and the deny list: they can be read, are strong enough, and private."""

from __future__ import annotations

import itertools
import zlib
from typing import Final

from chatd.auth.config import AuthConfig
from chatd.auth.deny import load_deny_list
from chatd.auth.keys import load_keys
from chatd.cli.checks.finding import Findings
from chatd.cli.exposed import exposed_key, secret_file

# 32 random bytes in hexadecimal digits have 16 different characters, short of one in a million.
MIN_DIFFERENT_BYTES: Final = 8

# Of 50,000 secrets that are 32 random digits, none took less than 33 bytes; "changeme" four times takes 20.
MIN_COMPRESSED_BYTES: Final = 30


def check_keys(config: AuthConfig, findings: Findings) -> None:
    with findings.refused_as("keys"):
        for number, key in enumerate(load_keys(config), start=1):
            name = f"key {number}" if key.kid is None else f"key {key.kid}"
            weakness = weakness_of(key.material) if isinstance(key.material, bytes) else None
            if weakness is not None:
                make = "(umask 077; openssl rand -hex 32 > FILE)"
                findings.error("keys", f"{name} ({key.algorithm}) {weakness}: make one with: {make}")
            else:
                size = f", {len(key.material)} bytes" if isinstance(key.material, bytes) else ""
                findings.ok("keys", f"{name}: {key.algorithm}{size}")
    for path in config.jwt_secret_file:
        if (text := exposed_key(secret_file(path))) is not None:
            findings.warning("keys", text)


def check_deny_list(config: AuthConfig, findings: Findings) -> None:
    if config.deny_file is None:
        return
    with findings.refused_as("deny_file"):
        denied = load_deny_list(config)
        findings.ok("deny_file", f"{config.deny_file}: {len(denied.user)} users, {len(denied.jti)} tokens")


def weakness_of(secret: bytes) -> str | None:
    """Why a secret of sufficient length is easy to guess, as the end of a sentence; None if no reason is found."""
    period = (secret + secret).find(secret, 1)
    if period < len(secret):
        return f"repeats its first {period} bytes"
    if len(set(secret)) < MIN_DIFFERENT_BYTES:
        return f"has only {len(set(secret))} different bytes"
    steps = {(after - before) % 256 for before, after in itertools.pairwise(secret)}
    if len(steps) == 1:
        return "counts up or down"
    if len(zlib.compress(secret, level=9)) < MIN_COMPRESSED_BYTES:
        return "is a few words over and over"
    return None
