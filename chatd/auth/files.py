"""The operator's files."""

from __future__ import annotations

import stat
from pathlib import Path

from chatd.base.errors import ConfigError


def read(path: Path, setting: str, max_bytes: int) -> bytes:
    """The content of a small regular file. Pipes are refused, because a reload reads the file again.

    Raises ConfigError, which begins with the name of the setting.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{setting}: {path} is no regular file")
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise ConfigError(f"{setting}: cannot read {path}: {error.strerror}") from error
    if len(content) > max_bytes:
        raise ConfigError(f"{setting}: {path} is larger than {max_bytes} bytes: the wrong file?")
    return content
