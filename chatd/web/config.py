"""The settings of what a browser may load from the daemon."""

# ruff: noqa: RUF009 - setting() gives a field, whose default is immutable

from __future__ import annotations

import dataclasses
from pathlib import Path

from chatd.settings.setting import setting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """Nothing is served unless it is switched on."""

    console: bool = setting(False, "serve the console for admins at /chatd/ and the chat widget for pages of yours")
    client_dir: Path | None = setting(
        None, "folder with the bundles of socket.io-client (its dist/), served as PATH/socket.io.js and siblings"
    )
