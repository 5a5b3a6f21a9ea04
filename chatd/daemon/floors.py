"""Builds the layers of a daemon, from connections up to the rules of the chat."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import os
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from chatd.auth import Verifier, load_deny_list, load_keys
from chatd.base.loop import at_turn_end
from chatd.base.part import Live, Part
from chatd.base.timers import Timers
from chatd.chat.chat import Chat
from chatd.chat.counts import ChatCounts
from chatd.chat.desk import Desk
from chatd.chat.door import KEPT_HEADERS, Door
from chatd.chat.limits import ChatLimits
from chatd.chat.member import Member
from chatd.chat.messages.audience import user_room
from chatd.chat.messages.ids import IdSource, is_in_reserve
from chatd.chat.parts import ChatParts
from chatd.chat.recovery.recovery import Recovery
from chatd.chat.steps import ClockSteps
from chatd.daemon.config import Config
from chatd.daemon.features import features
from chatd.daemon.opening import Opened, now_ms
from chatd.daemon.parts import Parts
from chatd.engineio.exchange import Exchange
from chatd.engineio.outbox import Outbox
from chatd.engineio.server import EngineHooks, EngineServer, not_found
from chatd.engineio.turns import Turns
from chatd.ops.watched import Watched
from chatd.settings.credentials import are_credentials
from chatd.settings.reload import Reload
from chatd.socketio.namespace import Auth
from chatd.socketio.packet import MAIN_NAMESPACE
from chatd.socketio.server import SocketIoServer
from chatd.socketio.socket import Socket

if TYPE_CHECKING:
    from chatd.chat.nodes.shell import Shell

log = logging.getLogger("chatd")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """What outside.py needs to build its parts: API, metrics, webhooks, retention."""

    config: Config
    engine: EngineServer
    chat: ChatParts
    watched: Watched


def build(
    config: Config,
    opened: Opened,
    parts: Parts | None = None,
    other: Callable[[Exchange], None] = not_found,
) -> Floors:
    """Raises ConfigError. `other` answers requests that are not for Socket.IO; `parts` gets the parts of the chat."""
    parts = Parts(Reload(lambda: config)) if parts is None else parts
    loop = asyncio.get_running_loop()
    timers, outbox = Timers(loop.time, loop.call_at), Outbox(at_turn_end(loop))
    verifier = Verifier(config.auth, load_keys(config.auth), time.time, load_deny_list(config.auth))
    door = Door(config.auth, verifier)
    socketio = SocketIoServer(config.socketio, timers, outbox)
    limits = ChatLimits(config.chat, time.monotonic)

    def accept(socket: Socket, auth: Auth) -> Member | Coroutine[Any, Any, Member]:
        session = socket.session
        identity = door.identify(session.handshake, auth, session.charge)
        session.pay_as(user_room(identity.user))
        return recovery.admit(Member(socket, identity, chat.router, recovery, timers, time.time), auth)

    namespace = socketio.namespace(MAIN_NAMESPACE, accept)
    make_chat, make_recovery, make_desk = (Chat, Recovery, Desk) if opened.shell is None else _among(opened.shell)
    chat = make_chat(config.chat, limits, namespace, opened.store, _ids(config, opened), now_ms)
    recovery = make_recovery(chat, door.check_again)
    namespace.greet = recovery.greet
    for feature in features(config, opened.neighbours, chat, recovery):
        parts.add(feature)
    ClockSteps(namespace, time.time).start()
    hooks = EngineHooks(accept=socketio.accept, kept_headers=KEPT_HEADERS, other=other)
    turns = Turns(loop.time, at_turn_end(loop), config.engineio.turn_budget)
    engine = EngineServer(config.engineio, timers, outbox, turns, hooks, config.chat.node)
    counts = ChatCounts(chat, recovery)
    parts.add(
        Part(
            live=_live(engine, door, chat),
            refusals={
                "engineio": engine.refusals.counts.items,
                "socketio": socketio.refusals.counts.items,
                "door": door.refused.items,
                "limits": limits.refusals.counts.items,
                "chat": chat.router.refused.items,
            },
            shown={"chat": lambda: counts},
        )
    )
    desk = make_desk(chat)
    watched = Watched(
        engine=engine,
        socketio=socketio,
        namespace=namespace,
        outbox=outbox,
        store=opened.store,
        desk=desk,
        users=lambda: counts.users,
        admins=lambda: counts.admins,
        refusals=parts.refusals,
        shown=parts.shown,
        fault=parts.fault,
        worry=parts.worry,
    )
    return Floors(config=config, engine=engine, chat=ChatParts(chat, door, desk), watched=watched)


def _ids(config: Config, opened: Opened) -> IdSource:
    ids = IdSource(now_ms, config.chat.node, opened.last_id) if opened.shell is None else opened.shell.ids
    if is_in_reserve(ids.start):
        log.error("the ids of messages are coming to an end: run chatd check", extra={"greatest_id": opened.last_id})
    return ids


def _among(shell: Shell) -> tuple[Callable[..., Chat], Callable[..., Recovery], Callable[..., Desk]]:
    """The chat, the recovery and the desk of a node: of one daemon among several."""
    from chatd.chat.nodes.chat import NodeChat  # noqa: PLC0415 - loaded only when used
    from chatd.chat.nodes.desk import NodeDesk  # noqa: PLC0415 - likewise
    from chatd.chat.nodes.recovery import NodeRecovery  # noqa: PLC0415 - likewise

    return functools.partial(NodeChat, shell), NodeRecovery, NodeDesk


def _live(engine: EngineServer, door: Door, chat: Chat) -> list[Live]:
    return [
        Live("tokens", lambda read: door.prepare(chat.namespace, read.auth), _keeps_tokens),
        Live("limits of clients and origins", lambda read: functools.partial(engine.use, read.engineio)),
        Live("limits of users", lambda read: functools.partial(chat.limits.use, read.chat)),
        Live("messages", lambda read: functools.partial(chat.router.use, read.chat)),
    ]


def _keeps_tokens(config: Config) -> bool:
    auth = config.auth
    return are_credentials(
        [*auth.jwt_secret_file, *auth.jwt_public_key_file, auth.jwks_file, auth.deny_file], os.environ
    )
