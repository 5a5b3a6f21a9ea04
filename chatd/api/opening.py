"""Builds the API from the parts of a running daemon."""

from __future__ import annotations

import os
from typing import Protocol

from chatd.api.config import ApiConfig
from chatd.api.listener import ApiListener
from chatd.api.people import People
from chatd.base.part import Live, Part
from chatd.chat.denials import Denials
from chatd.chat.parts import ChatParts
from chatd.engineio.config import EngineConfig
from chatd.listen.config import ListenConfig
from chatd.listen.tls import Tls
from chatd.ops.sources import Sources
from chatd.settings.credentials import are_credentials


class Settings(Protocol):
    """The parts of Config that the API needs."""

    @property
    def api(self) -> ApiConfig: ...

    @property
    def engineio(self) -> EngineConfig: ...

    @property
    def listen(self) -> ListenConfig: ...


def api_part(config: Settings, parts: ChatParts, denials: Denials, sources: Sources) -> Part:
    """Listens, and does not answer before its start. Raises ConfigError and ListenError."""
    live = []
    tls = None
    if config.api.api_tls and config.listen.tls_cert is not None:
        tls = Tls(config.listen.tls_cert, config.listen.tls_key, config.engineio.request_timeout_s)
        renew = tls.prepare
        live.append(Live("certificate of the API", lambda _: renew()))
    listener = open_api(config, parts, denials, sources, tls)
    live.append(Live("keys of the API", lambda read: listener.door.prepare(read.api), _keeps_keys))
    return Part(
        start=listener.start,
        close=listener.close,
        live=live,
        refusals={
            "api": listener.door.refusals.counts.items,
            "api_http": listener.http.refusals.counts.items,
            "api_listen": listener.http.listen_refusals.counts.items,
        },
    )


def open_api(
    config: Settings, parts: ChatParts, denials: Denials, sources: Sources, tls: Tls | None = None
) -> ApiListener:
    """Raises ConfigError and ListenError."""
    return ApiListener(config.api, config.engineio, parts, People(parts.desk, denials), sources, tls)


def _keeps_keys(config: Settings) -> bool:
    return are_credentials([config.api.api_keys_file], os.environ)
