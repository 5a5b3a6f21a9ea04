"""The daemon: builds every floor from the configuration, and starts and stops them in order.

Start: keys, database, listener. Stop, at SIGTERM or SIGINT: no new connections; what was accepted is stored and
acknowledged; sessions end in the way that makes clients come back; the database is closed. A second signal ends it all
at once. Rule C-20 of protocol.md.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import time
from typing import Final

from chatd.auth import Verifier, load_keys
from chatd.chat.door import KEPT_HEADERS, Door
from chatd.chat.ids import IdSource
from chatd.chat.limits import ChatLimits
from chatd.chat.member import Member
from chatd.chat.router import ChatRouter
from chatd.config import Config
from chatd.engineio.outbox import Outbox
from chatd.engineio.server import EngineHooks, EngineServer
from chatd.errors import ChatdError
from chatd.socketio.namespace import Auth
from chatd.socketio.packet import MAIN_NAMESPACE
from chatd.socketio.server import SocketIoServer
from chatd.socketio.socket import Socket
from chatd.store.base import MessageId, Store
from chatd.store.sqlite import SqliteStore
from chatd.timers import Timers

# Connections that wait in the kernel until it is their turn.
BACKLOG: Final = 4_096

# asyncio accepts as many connections in one turn as its backlog says, and each costs 0.3 ms until it is in a room.
# In a storm of 3,000 the p99 of a stream beside it was 2,080 ms with all of them in a turn.
ACCEPTS_PER_TURN: Final = 8

# The collector looks at young objects after so many are made, and rarely at all: what ends takes its cycles apart
# itself. Its own thresholds made it walk every session of a server that was filling, for 90 ms at 3,000 of them.
GC_THRESHOLDS: Final = (10_000, 10, 1_000)

# How long clients have to answer the goodbye before their connections are closed.
GOODBYE_S: Final = 1.0

EXIT_AT_ONCE: Final = 130
EXIT_UNFINISHED: Final = 1

log = logging.getLogger("chatd")


class StartError(ChatdError):
    """The machine does not let the daemon start; the message says what is in the way."""


def run(config: Config) -> int:
    """Serve until a signal ends it; the result is the exit code. Raises ConfigError and StartError."""
    return asyncio.run(_serve(config))


async def _serve(config: Config) -> int:
    stop = _stop_on_signals()
    store = SqliteStore(config.store)
    last_id = await store.open()
    try:
        engine = build(config, store, last_id)
        listener = await _listen(engine, config)
        # What start-up made lives as long as the process: the collector need not walk it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        await stop.wait()
        log.info("stopping", extra={"connections": len(engine.connections)})
        async with asyncio.timeout(config.listen.stop_timeout_s):
            await _stop(listener, engine, store)
    except TimeoutError:
        log.error("the stop took too long; connections were cut", extra={"timeout_s": config.listen.stop_timeout_s})
        if store.waiting:
            # The disk hangs, and to close the file would hang with it. Nobody was told that these are safe.
            log.error("messages were not stored, and none of them acknowledged", extra={"messages": store.waiting})
            os._exit(EXIT_UNFINISHED)
    finally:
        await store.close()
    log.info("stopped")
    return 0


def build(config: Config, store: Store, last_id: MessageId | None) -> EngineServer:
    """Every floor, from the rules of the chat down to the connections. Raises ConfigError."""
    loop = asyncio.get_running_loop()
    timers, outbox = Timers(loop.time, loop.call_at), Outbox(loop.call_soon)
    door = Door(config.auth, Verifier(config.auth, load_keys(config.auth), time.time))
    socketio = SocketIoServer(config.socketio, timers, outbox)
    limits = ChatLimits(config.chat, loop.time)

    def accept(socket: Socket, auth: Auth) -> Member:
        identity = door.identify(socket.session.handshake, auth)
        limits.check_sockets(identity.user, namespace.rooms.members)
        return Member(socket, identity, router, timers, time.time)

    namespace = socketio.namespace(MAIN_NAMESPACE, accept)
    ids = IdSource(_now_ms, config.chat.node, last_id)
    router = ChatRouter(config.chat, limits, namespace, store, ids, _now_ms)
    hooks = EngineHooks(accept=socketio.accept, kept_headers=KEPT_HEADERS)
    return EngineServer(config.engineio, timers, outbox, hooks)


async def _listen(engine: EngineServer, config: Config) -> asyncio.Server:
    host, port = config.listen.host, config.listen.port
    loop = asyncio.get_running_loop()
    try:
        listener = await loop.create_server(engine.connection, host, port, backlog=ACCEPTS_PER_TURN)
    except OSError as error:
        raise StartError(f"cannot listen on {host}:{port}: {_in_words(error)}") from error
    for socket in listener.sockets:
        with socket.dup() as listening:
            listening.listen(BACKLOG)
        address = socket.getsockname()
        log.info("listening", extra={"host": address[0], "port": address[1], "path": config.engineio.path})
    return listener


def _in_words(error: OSError) -> str:
    """asyncio puts a message of its own in the place of the system's, except where a name does not resolve."""
    if error.errno is None or error.errno < 0:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _stop_on_signals() -> asyncio.Event:
    """An event that the first SIGTERM or SIGINT sets; the next one ends the process at once."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(EXIT_AT_ONCE)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop


async def _stop(listener: asyncio.Server, engine: EngineServer, store: Store) -> None:
    listener.close()
    await store.flushed()
    engine.close()
    await engine.connections.close(GOODBYE_S)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
