"""The objects that all connections of a server share, for sessions without a server."""

from __future__ import annotations

import logging

from chatd.base.refusals import Refusals
from chatd.engineio.config import EngineConfig
from chatd.engineio.connections import Connections
from chatd.engineio.limits import Limit
from chatd.engineio.proxies import Proxies


def connections(config: EngineConfig) -> Connections:
    return Connections(config, Proxies(()), Refusals(Limit, lambda: 0.0, logging.getLogger("tests")))
