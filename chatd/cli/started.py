"""The command that started this process, to print commands for a shell or systemd."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path


def started_as() -> list[str]:
    """The words before the verb, with absolute paths: the one file, an installed script, or `python -m chatd`."""
    started = os.path.abspath(shutil.which(sys.argv[0]) or sys.argv[0])  # noqa: PTH100 - an upgrade may move a link
    if zipfile.is_zipfile(started):
        return [sys.executable, started]
    if Path(started).name != "__main__.py" and os.access(started, os.X_OK):
        return [started]
    return [sys.executable, "-m", "chatd"]
