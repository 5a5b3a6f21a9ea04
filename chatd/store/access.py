"""Whose a file is, in words: what a user may not open is often a file that another one has put there."""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def refusal(paths: list[Path]) -> str:
    """The end of a sentence: owner and mode of the first of `paths` that we may not read and write; else nothing."""
    for path in paths:
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            found = path.stat()
            kind = f"{path} belongs to {user(found.st_uid)}, with mode {found.st_mode & 0o7777:04o}"
            return f"; {kind}, and chatd runs as {user(os.geteuid())}: give it to that user with chown"
    return ""


def user(uid: int) -> str:
    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return f"user {uid}"
