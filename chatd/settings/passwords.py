"""Passwords for other servers: from a file, and never in a URL, which is in `ps` and in the history of a shell."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from chatd.base.errors import ConfigError


def check_url(url: str, setting: str, where: str) -> None:
    """Raises ConfigError for a URL with a password, which belongs into `where`, and for an invalid URL."""
    try:
        has_one = _has_password(url)
    except ValueError as error:
        raise ConfigError(f"{setting}: the URL is none: check the brackets of its host") from error
    if has_one:
        raise ConfigError(
            f"{setting}: a URL with a password is refused, because others can read it: take the password out, and put "
            f"it into {where}"
        )


def read_password(file: Path | None, setting: str) -> str | None:
    """The text of `file` without its last line break, which editors add; None without a file.

    Raises ConfigError, which begins with the name of the setting.
    """
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{setting}: cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{setting}: {file} is no text in UTF-8") from error


def _has_password(url: str) -> bool:
    """In one of the two places where libpq looks for it.

    https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
    """
    parts = urlsplit(url)
    return parts.password is not None or any(name == "password" for name, _ in parse_qsl(parts.query))
