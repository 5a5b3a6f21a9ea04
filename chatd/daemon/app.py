"""The daemon: builds every floor from the configuration, and starts and stops them in order.

Start: keys, database, sockets. Stop, at SIGTERM or SIGINT: not ready any more; no new connections; what was accepted
is stored and acknowledged; sessions end, a few at a time, in the way that makes clients come back; what they wrote
meanwhile is stored; the database is closed. A second signal ends it all at once. SIGHUP reads keys, the deny list, the
certificate and the settings that are live again. Rules C-20 and C-27 of protocol.md.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import os
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final

from chatd.auth import Verifier, load_deny_list, load_keys
from chatd.base.errors import ConfigError
from chatd.base.timers import Timers
from chatd.chat.chat import Chat
from chatd.chat.desk import Desk
from chatd.chat.door import KEPT_HEADERS, Door
from chatd.chat.limits import ChatLimits
from chatd.chat.member import Member
from chatd.chat.messages.audience import ADMINS, online_users, user_room
from chatd.chat.messages.ids import IdSource, first_id_of, is_in_reserve
from chatd.chat.parts import ChatParts
from chatd.chat.recovery.recovery import Recovery
from chatd.chat.steps import ClockSteps
from chatd.daemon.beside import Beside, features
from chatd.daemon.config import Config
from chatd.daemon.live import take_over
from chatd.daemon.pages import Pages
from chatd.daemon.signals import stop_on_signals
from chatd.daemon.stopping import send_away
from chatd.engineio.exchange import Exchange
from chatd.engineio.outbox import Outbox
from chatd.engineio.server import EngineHooks, EngineServer, not_found
from chatd.engineio.turns import Turns
from chatd.listen.activation import Inherited, inherited_sockets
from chatd.listen.arrivals import Arrivals
from chatd.listen.files import RESERVED, make_room
from chatd.listen.listening import Listening
from chatd.logs import stderr as logs
from chatd.ops.operations import Operations
from chatd.ops.watched import Watched
from chatd.settings.credentials import are_credentials
from chatd.settings.reload import Reload
from chatd.socketio.namespace import Auth
from chatd.socketio.packet import MAIN_NAMESPACE
from chatd.socketio.server import SocketIoServer
from chatd.socketio.socket import Socket
from chatd.store.base import MessageId, Store
from chatd.store.choose import make_store
from chatd.store.retention import Retention
from chatd.store.vouched import VouchedTime, uptime_s

if TYPE_CHECKING:
    from chatd.chat.neighbours.neighbours import Neighbours
    from chatd.chat.nodes.shell import Shell
    from chatd.web.entries import Entries

# The collector looks at young objects after so many are made, and rarely at all: what ends takes its cycles apart
# itself. Its own thresholds made it walk every session of a server that was filling, for 90 ms at 3,000 of them.
GC_THRESHOLDS: Final = (10_000, 10, 1_000)

EXIT_UNFINISHED: Final = 1

# Another process has the number of this node: a supervisor starts this one again, and then it waits.
EXIT_DISPLACED: Final = 1

log = logging.getLogger("chatd")


def run(
    config: Config,
    *,
    read: Callable[[], Config] | None = None,
    entries: Entries | None = None,
    announce: Callable[[int], None] | None = None,
) -> int:
    """Serve until a signal ends it; the result is the exit code. Raises ConfigError and ListenError.

    `read` gives the configuration as it is then: with it, SIGHUP ends nothing, but takes over what is live, and reads
    keys and other files again. `entries` are links into the console. `announce` takes the TCP port, once it is open.
    """
    return asyncio.run(_serve(config, read, entries, announce))


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
    neighbours = _neighbours(config)
    store, last_id, shell = await _open(config, stop.set)
    retention = _retention(config, store)
    beside = Beside(config, operations, reload, store)
    try:
        pages = Pages(config, entries, store)
        reload.add("pages", pages.prepare)
        engine = build(config, store, last_id, reload, pages, beside.open, shell=shell, neighbours=neighbours)
        listening = _listening(config, engine, inherited)
        operations.add_refusals("listen", listening.refusals.counts.items)
        reload.add("certificate", lambda _: listening.prepare(), _keeps_certificate)
        reload.add("retention", lambda read: functools.partial(retention.use, read.store.retention_days))
        _fit_open_files(config, listening)
        _spare_collector()
        await beside.start()
        retention.start()
        listening.start(config.engineio.path, announce)
        operations.ready()
        await stop.wait()
        operations.stopping()
        log.info("stopping", extra={"connections": len(engine.connections)})
        async with asyncio.timeout(config.listen.stop_timeout_s):
            if shell is not None:
                shell.stopping()
            await send_away(config.listen, listening, engine, store)
    except TimeoutError:
        log.error("the stop took too long; connections were cut", extra={"timeout_s": config.listen.stop_timeout_s})
        if store.waiting:
            # The disk hangs, and to close the file would hang with it. None of them was acknowledged.
            log.error("messages were not stored, and none of them acknowledged", extra={"messages": store.waiting})
            os._exit(EXIT_UNFINISHED)
    finally:
        await _close(beside, retention, shell, neighbours, store)
    log.info("stopped")
    return EXIT_DISPLACED if shell is not None and shell.is_displaced else 0


async def _open(config: Config, end: Callable[[], None]) -> tuple[Store, MessageId | None, Shell | None]:
    """The store, the greatest id in it, and what joins this daemon to others, if it is one of several.

    `end` ends this one: another process has its place. Raises ConfigError and UnreachableError.
    """
    if config.chat.bus is not None:
        try:
            from chatd.chat.nodes.making import join  # noqa: PLC0415 - loaded only when used
        except ModuleNotFoundError as error:
            package = error.name
            raise ConfigError(f"bus: it needs the package {package}: pip install 'chatd[cluster]'") from error

        shell = await join(config.chat, config.store, _now_ms, end)
        return shell.store, shell.epoch, shell
    store = make_store(config.store)
    return store, await store.open(), None


def _neighbours(config: Config) -> Neighbours | None:
    """The Node.js nodes of this chat, if it has any. Raises ConfigError."""
    if config.chat.bus_adapter == "off":
        return None
    try:
        from chatd.chat.neighbours.making import make_neighbours  # noqa: PLC0415 - loaded only when used
    except ModuleNotFoundError as error:
        package = error.name
        raise ConfigError(f"bus_adapter: it needs the package {package}: pip install 'chatd[cluster]'") from error

    secure = config.listen.tls_cert is not None and config.listen.tls_port is None
    return make_neighbours(config.chat, config.engineio, config.socketio, secure=secure)


def _listening(config: Config, engine: EngineServer, inherited: Sequence[Inherited]) -> Listening:
    """Every socket that is listened on. Raises ConfigError and ListenError."""
    connections = engine.connections
    return Listening(
        config.listen,
        engine.connection,
        inherited,
        handshake_timeout_s=config.engineio.request_timeout_s,
        arrivals=functools.partial(Arrivals, connections.counted, connections.max_per_address),
    )


def build(  # noqa: PLR0913 - what a daemon is made of
    config: Config,
    store: Store,
    last_id: MessageId | None,
    reload: Reload[Config] | None = None,
    other: Callable[[Exchange], None] = not_found,
    watch: Callable[[Watched, ChatParts], None] | None = None,
    *,
    shell: Shell | None = None,
    neighbours: Neighbours | None = None,
) -> EngineServer:
    """Every floor, from the rules of the chat down to the connections. Raises ConfigError.

    `other` answers requests that are not for Socket.IO; `watch` gets what metrics read, and the chat; `shell`
    joins this daemon to others, and `neighbours` to Node.js nodes.
    """
    loop = asyncio.get_running_loop()
    timers, outbox = Timers(loop.time, loop.call_at), Outbox(loop.call_soon)
    verifier = Verifier(config.auth, load_keys(config.auth), time.time, load_deny_list(config.auth))
    door = Door(config.auth, verifier)
    socketio = SocketIoServer(config.socketio, timers, outbox)
    limits = ChatLimits(config.chat, time.monotonic)

    def accept(socket: Socket, auth: Auth) -> Member | Coroutine[Any, Any, Member]:
        session = socket.session
        identity = door.identify(session.handshake, auth, session.charge)
        session.pay_as(user_room(identity.user))
        return recovery.admit(Member(socket, identity, router, recovery, timers, time.time), auth)

    namespace = socketio.namespace(MAIN_NAMESPACE, accept)
    ids = IdSource(_now_ms, config.chat.node, last_id) if shell is None else shell.ids
    if is_in_reserve(ids.start):
        log.error("the ids of messages are coming to an end: run chatd check", extra={"greatest_id": last_id})
    make_chat, make_recovery, make_desk = (Chat, Recovery, Desk) if shell is None else _among(shell)
    chat = make_chat(config.chat, limits, namespace, store, ids, _now_ms)
    router = chat.router
    recovery = make_recovery(chat, door.check_again)
    namespace.greet = recovery.greet
    if neighbours is not None:
        neighbours.meet(chat, recovery)
    team, texts = features(config, chat)
    ClockSteps(namespace, time.time).start()
    hooks = EngineHooks(accept=socketio.accept, kept_headers=KEPT_HEADERS, other=other)
    turns = Turns(loop.time, loop.call_soon, config.engineio.turn_budget)
    engine = EngineServer(config.engineio, timers, outbox, turns, hooks, config.chat.node)
    if reload is not None:
        reload.add("tokens", lambda read: door.prepare(namespace, read.auth), _keeps_tokens)
        reload.add("limits of clients and origins", lambda read: functools.partial(engine.use, read.engineio))
        reload.add("limits of users", lambda read: functools.partial(limits.use, read.chat))
        reload.add("messages", lambda read: functools.partial(router.use, read.chat))
    if watch is not None:
        desk = make_desk(chat)
        watch(
            Watched(
                engine=engine,
                socketio=socketio,
                namespace=namespace,
                outbox=outbox,
                store=store,
                desk=desk,
                nodes=shell,
                neighbours=neighbours,
                team=team,
                recoveries=recovery.outcomes.items,
                events=lambda: router.received,
                users=lambda: online_users(namespace.rooms),
                admins=lambda: len(namespace.rooms.members(ADMINS)),
                refusals={
                    "engineio": engine.refusals.counts.items,
                    "socketio": socketio.refusals.counts.items,
                    "door": door.refused.items,
                    "limits": limits.refusals.counts.items,
                    "chat": router.refused.items,
                    **({} if neighbours is None else {"adapter": neighbours.refusals.counts.items}),
                },
            ),
            ChatParts(chat, door, desk, texts),
        )
    for joining in (shell, neighbours):
        if joining is not None:
            joining.start()
    return engine


def _among(shell: Shell) -> tuple[Callable[..., Chat], Callable[..., Recovery], Callable[..., Desk]]:
    """The chat among several daemons, what lets members in there, and what operators may do."""
    from chatd.chat.nodes.chat import NodeChat  # noqa: PLC0415 - as in _open
    from chatd.chat.nodes.desk import NodeDesk  # noqa: PLC0415
    from chatd.chat.nodes.recovery import NodeRecovery  # noqa: PLC0415

    return functools.partial(NodeChat, shell), NodeRecovery, NodeDesk


def _retention(config: Config, store: Store) -> Retention:
    vouched = VouchedTime(store.run, _now_ms, uptime_s)
    return Retention(store, vouched, _now_ms, first_id_of, config.store.retention_days)


def _reload(config: Config, read: Callable[[], Config] | None) -> Reload[Config]:
    """What is live of the configuration as `read` gives it; the log is its first part."""
    reload = Reload(lambda: config if read is None else take_over(config, read()))
    reload.add("log", lambda read: functools.partial(logs.set_level, read.log))
    return reload


def _keeps_tokens(config: Config) -> bool:
    auth = config.auth
    return are_credentials(
        [*auth.jwt_secret_file, *auth.jwt_public_key_file, auth.jwks_file, auth.deny_file], os.environ
    )


def _keeps_certificate(config: Config) -> bool:
    return are_credentials([config.listen.tls_cert, config.listen.tls_key], os.environ)


def _spare_collector() -> None:
    """What start-up made lives as long as the process: the collector need not walk it again."""
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


async def _close(
    beside: Beside, retention: Retention, shell: Shell | None, neighbours: Neighbours | None, store: Store
) -> None:
    await beside.close()
    await retention.close()
    if neighbours is not None:
        await neighbours.close()
    if shell is not None:
        await shell.close()
    await store.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
