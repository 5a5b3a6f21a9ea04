"""Builds the API from the parts of a running daemon."""

from __future__ import annotations

import os
from typing import Any, Protocol

from chatd.api.config import ApiConfig
from chatd.api.listener import ApiListener
from chatd.api.people import People
from chatd.chat.denials import Denials
from chatd.chat.parts import ChatParts
from chatd.engineio.config import EngineConfig
from chatd.listen.config import ListenConfig
from chatd.listen.tls import Tls
from chatd.ops.metric import Sources
from chatd.settings.credentials import are_credentials
from chatd.settings.reload import Reload


class Settings(Protocol):
    """The parts of Config that the API needs."""

    @property
    def api(self) -> ApiConfig: ...

    @property
    def engineio(self) -> EngineConfig: ...

    @property
    def listen(self) -> ListenConfig: ...


def open_api(
    config: Settings, parts: ChatParts, denials: Denials, sources: Sources, reload: Reload[Any]
) -> ApiListener:
    """Listens, and does not answer yet. Raises ConfigError and ListenError."""
    people = People(parts.desk, denials)
    tls = None
    if config.api.api_tls and config.listen.tls_cert is not None:
        tls = Tls(config.listen.tls_cert, config.listen.tls_key, config.engineio.request_timeout_s)
        renew = tls.prepare
        reload.add("certificate of the API", lambda _: renew())
    listener = ApiListener(config.api, config.engineio, parts, people, sources, tls)
    reload.add("keys of the API", lambda read: listener.door.prepare(read.api), keeps=_keeps_keys)
    sources.watched.refusals["api"] = listener.door.refusals.counts.items
    sources.watched.refusals["api_http"] = listener.http.refusals.counts.items
    sources.watched.refusals["api_listen"] = listener.http.listen_refusals.counts.items
    return listener


def _keeps_keys(config: Settings) -> bool:
    return are_credentials([config.api.api_keys_file], os.environ)
