"""The daemon: builds its parts from the configuration, starts them in order, and closes them in reverse.

Start: keys, database, sockets. Stop, at SIGTERM or SIGINT: readiness ends; new connections are refused; accepted
messages are stored and acknowledged; sessions are closed at a limited rate, so that clients reconnect; messages that
came meanwhile are stored; the database is closed. A second signal ends the process at once. SIGHUP reloads keys, the
deny list, the certificate and the live settings. Rules C-20 and C-27 of protocol.md.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from chatd.base.loop import TurnLoop
from chatd.base.part import Live, Part
from chatd.daemon.config import Config
from chatd.daemon.floors import build
from chatd.daemon.live import take_over
from chatd.daemon.opening import open_store
from chatd.daemon.outside import outside
from chatd.daemon.pages import Pages
from chatd.daemon.parts import Parts
from chatd.daemon.signals import stop_on_signals
from chatd.daemon.stopping import send_away
from chatd.engineio.server import EngineServer
from chatd.listen.activation import Inherited, inherited_sockets
from chatd.listen.arrivals import Arrivals
from chatd.listen.files import RESERVED, make_room
from chatd.listen.listening import Listening
from chatd.logs import stderr as logs
from chatd.ops.operations import Operations
from chatd.settings.credentials import are_credentials
from chatd.settings.reload import Reload

if TYPE_CHECKING:
    from chatd.web.entries import Entries

# Thresholds of the garbage collector: it runs rarely, because objects break their own reference cycles when they end.
# With Python's defaults it walked all sessions while clients connected: a pause of 90 ms at 3,000 sessions.
GC_THRESHOLDS: Final = (10_000, 10, 1_000)

# Another process uses the number of this node. A supervisor restarts this one, which then waits for the number.
EXIT_DISPLACED: Final = 1

log = logging.getLogger("chatd")


def run(
    config: Config,
    *,
    read: Callable[[], Config] | None = None,
    entries: Entries | None = None,
    announce: Callable[[int], None] | None = None,
) -> int:
    """Serve until a signal, then return the exit code. Raises ConfigError and ListenError.

    `read` returns the current configuration. If it is given, SIGHUP applies the live settings and reloads keys and
    other files, instead of ending the process. `entries` are links into the console. `announce` is called with the TCP
    port when it is open.
    """
    with asyncio.Runner(loop_factory=TurnLoop) as runner:
        return runner.run(_serve(config, read, entries, announce))


async def _serve(
    config: Config,
    read: Callable[[], Config] | None,
    entries: Entries | None,
    announce: Callable[[int], None] | None,
) -> int:
    stop = stop_on_signals()
    inherited = inherited_sockets(os.environ)
    reload = _reload(config, read)
    operations = Operations(config.ops, config.store.db, os.environ, reload)
    if read is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, operations.reload)
    parts = Parts(reload)
    try:
        opened = await open_store(config, stop.set)
        for part in opened.parts():
            parts.add(part)
        pages = Pages(config, entries, opened.store)
        parts.add(pages.part)
        floors = build(config, opened, parts, pages)
        for part in outside(floors, operations):
            parts.add(part)
        listening = _listening(config, floors.engine, inherited)
        parts.add(_accepting(config, listening, announce))
        _fit_open_files(config, listening)
        _spare_collector()
        await parts.start()
        operations.ready()
        await stop.wait()
        parts.stopping()
        log.info("stopping", extra={"connections": len(floors.engine.connections)})
        await send_away(config.listen, listening, floors.engine, opened.store)
    finally:
        await parts.close()
    log.info("stopped")
    return EXIT_DISPLACED if opened.is_displaced else 0


def _reload(config: Config, read: Callable[[], Config] | None) -> Reload[Config]:
    """The reload of live settings from the configuration that `read` returns. The log level is the first of them."""
    reload = Reload(lambda: config if read is None else take_over(config, read()))
    reload.add("log", lambda read: functools.partial(logs.set_level, read.log))
    return reload


def _listening(config: Config, engine: EngineServer, inherited: Sequence[Inherited]) -> Listening:
    """All listening sockets. Raises ConfigError and ListenError."""
    connections = engine.connections
    return Listening(
        config.listen,
        engine.connection,
        inherited,
        handshake_timeout_s=config.engineio.request_timeout_s,
        arrivals=functools.partial(Arrivals, connections.counted, connections.max_per_address),
    )


def _accepting(config: Config, listening: Listening, announce: Callable[[int], None] | None) -> Part:
    """The last part to start: it accepts clients."""
    return Part(
        start=functools.partial(listening.start, config.engineio.path, announce),
        live=[Live("certificate", lambda _: listening.prepare(), _keeps_certificate)],
        refusals={"listen": listening.refusals.counts.items},
    )


def _keeps_certificate(config: Config) -> bool:
    return are_credentials([config.listen.tls_cert, config.listen.tls_key], os.environ)


def _spare_collector() -> None:
    """Exclude the objects of start-up from garbage collection: they live as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _fit_open_files(config: Config, listening: Listening) -> None:
    """Raise the limit of open files, and warn if the system allows fewer than the clients need."""
    clients = config.engineio.max_connections
    if listening.max_files is not None and clients > listening.max_files - RESERVED:
        log.warning(
            "max_connections is more than the system lets us have: raise its limit of open files (LimitNOFILE)",
            extra={"max_connections": clients, "open_files": listening.max_files},
        )
    make_room(clients, listening.max_files)
