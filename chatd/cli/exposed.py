"""Finds files with secrets or messages that other users of the machine can read, for `check` and for starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chatd.daemon.config import Config
from chatd.store.url import is_postgres


def exposed(config: Config) -> Iterator[str]:
    """A sentence for each file."""
    database = None if is_postgres(config.store.db) else exposed_database(Path(config.store.db).resolve())
    keys = [
        *map(secret_file, config.auth.jwt_secret_file),
        config.listen.tls_key or config.listen.tls_cert,
        config.store.db_password_file,
        config.chat.bus_password_file,
        config.chat.bus_key_file or config.chat.bus_cert_file,
        config.chat.bus_adapter_password_file,
        *(hook.secret_path for hook in config.webhooks),
        *(notify.password_path for notify in config.notify),
        *(notify.email_secret_path for notify in config.notify),
    ]
    for text in (database, *(exposed_key(key) for key in keys if key is not None)):
        if text is not None:
            yield text


def secret_file(given: Path) -> Path:
    """The file in `given`, which may be KID=FILE."""
    named = Path(str(given).partition("=")[2]).expanduser()
    return named if not given.is_file() and named.is_file() else given


def exposed_key(file: Path) -> str | None:
    """Why the file of a key is not secret; None if it is secret or missing."""
    if file.is_file() and file.stat().st_mode & 0o004:
        return f"{file} can be read by everybody on this machine: chmod 600, or 640 with a group"
    return None


def exposed_database(path: Path) -> str | None:
    """Why messages are not private; None if they are private or the file is missing."""
    if path.is_file() and path.stat().st_mode & 0o077:
        return f"others can read {path}, which holds private messages: chmod 600"
    return None
