"""The settings of what a browser may load from the daemon."""

# ruff: noqa: RUF009 - setting() gives a field, whose default is immutable

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.settings.setting import setting

# A page of this host, or of any: nothing that could be a script.
_LOGIN: Final = re.compile(r"(?:https?://[^/\s\\]+(?:/\S*)?|/(?![/\\])\S*)", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """Nothing is served unless it is switched on."""

    console: bool = setting(False, "serve the console for admins at /chatd/ and the chat widget for pages of yours")
    client_dir: Path | None = setting(
        None, "folder with the bundles of socket.io-client (its dist/), served as PATH/socket.io.js and siblings"
    )
    login_url: str | None = setting(
        None, "the page where one logs in: a link in the console and in the widget when a session has ended"
    )

    def __post_init__(self) -> None:
        if self.login_url is not None and _LOGIN.fullmatch(self.login_url) is None:
            raise ConfigError(f"login_url: {self.login_url!r} is no page; write https://example.com/login, or /login")
