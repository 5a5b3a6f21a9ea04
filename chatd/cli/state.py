"""The folder of `chatd dev`, with its secret and its database."""

from __future__ import annotations

import dataclasses
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from chatd.base.errors import ConfigError
from chatd.store.beside import BESIDE


@dataclasses.dataclass(frozen=True, slots=True)
class StateFolder:
    """A folder that only its owner can use, and the paths in it."""

    path: Path

    @property
    def secret_file(self) -> Path:
        return self.path / "jwt-secret"

    @property
    def database(self) -> Path:
        return self.path / "chatd.db"

    @property
    def _kept(self) -> Iterator[Path]:
        """Files that are used if they exist, so only this user may have written them; SQLite applies a log."""
        yield self.secret_file
        yield from (self.path / f"{self.database.name}{end}" for end in ("", *BESIDE))

    def prepare(self) -> None:
        """Create the folder (0700) and the secret (0600) if they are missing.

        Raises ConfigError, also if another user could have written a secret or a database there.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _require_own(self.path)
            if not os.path.lexists(self.secret_file):
                self._make_secret()
            for file in self._kept:
                if os.path.lexists(file):
                    _require_own(file)
                    file.chmod(0o600)
        except OSError as error:
            raise ConfigError(f"--state: cannot use {self.path}: {error.strerror}; name another folder") from error

    def _make_secret(self) -> None:
        # A hard link is atomic, and never replaces the secret of another chatd that starts at the same time.
        draft = self.path / f".jwt-secret.{secrets.token_hex(8)}"
        with open(draft, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(secrets.token_urlsafe(48).encode() + b"\n")
        try:
            self.secret_file.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()


def _require_own(path: Path) -> None:
    """Raises ConfigError if another user may have written `path`: a known secret can make tokens. Raises OSError."""
    found = path.stat()
    if path.is_symlink() and not stat.S_ISDIR(found.st_mode):
        problem = "is a link"
    elif found.st_uid != os.geteuid():
        problem = f"belongs to another user ({found.st_uid})"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        problem = "can be written by other users"
    else:
        return
    raise ConfigError(f"--state: {path} {problem}: remove it, or name a folder of your own that only you can write")


def state_folder(given: Path | None, environ: Mapping[str, str]) -> StateFolder:
    """The folder `given`, or the one of the XDG base directory specification."""
    if given is not None:
        return StateFolder(given.expanduser().absolute())
    base = Path(environ.get("XDG_STATE_HOME", ""))
    # A relative path must be ignored: https://specifications.freedesktop.org/basedir-spec/latest/#variables
    return StateFolder((base if base.is_absolute() else Path.home() / ".local" / "state") / "chatd")
