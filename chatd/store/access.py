"""Explains a refused file access by the owner and mode of the file: often another user has created it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def refusal(paths: list[Path]) -> str:
    """Owner, mode and advice for the first of `paths` that this process may not read and write, as the end of a
    sentence; empty if there is none.
    """
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
