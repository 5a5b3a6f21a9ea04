"""Files that systemd hands over (LoadCredential=): copies, which stay as they are until the service is started again.

https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#LoadCredential=ID:PATH
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def handed_over(name: str, file: Path, environ: Mapping[str, str]) -> Path:
    """The copy of `file` that the service has by this name, if it has one; else the file itself."""
    copy = Path(environ.get("CREDENTIALS_DIRECTORY") or "/nonexistent", name)
    return copy if copy.is_file() else file


def are_credentials(files: Sequence[Path | None], environ: Mapping[str, str]) -> bool:
    """Whether there are files at all, and systemd has handed over each. A file may be KID=FILE."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    named = [str(file).rpartition("=")[2] for file in files if file is not None]
    return bool(folder and named) and all(Path(file).is_relative_to(str(folder)) for file in named)
