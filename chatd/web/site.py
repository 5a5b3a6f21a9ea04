"""Everything that the daemon serves besides Socket.IO, by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from chatd.engineio.exchange import Exchange
from chatd.engineio.origin import OriginPolicy
from chatd.engineio.server import not_found
from chatd.web.bundles import load_bundles
from chatd.web.config import WebConfig
from chatd.web.console import PREFIX, load_console
from chatd.web.entries import ENTRY_PREFIX, Entries
from chatd.web.page import Page, answer
from chatd.web.session import SESSION_PATH, session_answer

_BARE: Final = PREFIX.rstrip("/")


class Site:
    """Answers requests by a table of exact paths; any other path gets 404."""

    def __init__(
        self,
        console: Mapping[str, Page],
        bundles: Mapping[str, Page],
        entries: Entries | None,
        origins: OriginPolicy,
        cookie: str,
    ) -> None:
        self._console = console
        self._bundles = bundles
        self._entries = entries
        self._origins = origins
        self._answer_session = session_answer(cookie, origins)

    def on_request(self, exchange: Exchange) -> None:
        """Answer any request that is not for the Engine.IO server."""
        path = exchange.request.path
        if (page := self._console.get(path)) is not None:
            answer(exchange, page)
        elif self._console and path == SESSION_PATH:
            self._answer_session(exchange)
        elif (page := self._bundles.get(path)) is not None:
            answer(exchange, page, self._origins.headers(exchange.request))
        elif self._entries is not None and path.startswith(ENTRY_PREFIX):
            self._entries.on_request(exchange)
        elif self._entries is not None and path == "/":
            self._entries.home(exchange)
        elif self._console and path == _BARE:
            exchange.respond(308, b"", [(b"Location", PREFIX.encode())])
        else:
            not_found(exchange)


def site(
    config: WebConfig, engine_path: str, origins: OriginPolicy, cookie: str, entries: Entries | None = None
) -> Callable[[Exchange], None]:
    """The handler of requests for paths other than `engine_path`. Reads all files. Raises ConfigError."""
    if not config.console and config.client_dir is None:
        return not_found
    console = load_console(engine_path, origins.origins, config.login_url or "") if config.console else {}
    bundles = {} if config.client_dir is None else load_bundles(config.client_dir, engine_path)
    return Site(console, bundles, entries, origins, cookie).on_request
