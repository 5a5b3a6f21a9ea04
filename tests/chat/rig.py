"""The chat without a network: a manual clock, sessions that record packets, a store that waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, Final

from chatd.auth import Identity
from chatd.chat.chat import Chat
from chatd.chat.config import ChatConfig
from chatd.chat.limits import ChatLimits
from chatd.chat.member import Member
from chatd.chat.messages.ids import IdSource
from chatd.chat.recovery.recovery import Recovery
from chatd.engineio.config import EngineConfig
from chatd.engineio.direct import NoDescriptor
from chatd.engineio.outbox import Outbox
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.packet import Packet, PacketType
from chatd.engineio.reasons import CloseReason
from chatd.engineio.session import Handshake, Session
from chatd.engineio.sid import Sid
from chatd.engineio.turns import Payer, Turns
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.namespace import Auth
from chatd.socketio.server import SocketIoServer
from chatd.socketio.socket import Socket
from chatd.store.base import Done, Message, MessageId, Store, StoreError
from chatd.store.sqlite import SqliteStore
from tests.chat.disk import Disk
from tests.clock import Clock
from tests.engineio.connections import connections

NOW: Final = 1_800_000_000.0
"""The wall clock at the start of a test, in Unix seconds."""

# No pings during a test.
QUIET: Final = EngineConfig(ping_interval_s=1e9)


def who(user: str, rol: str = "user", *, expires_at: float | None = None) -> Identity:
    return Identity(user, "A Name", rol, expires_at, None)


class Line(NoDescriptor):
    """The client's end of a session: received packets, and the reason of the close."""

    name = "line"
    writable = True
    queued_bytes: int = 0

    def __init__(self) -> None:
        self.received: list[str] = []
        self.payer: Payer = self
        self.credit = 0
        self.max_payload_bytes = 1_000_000
        self.closed: CloseReason | None = None
        self.session: Session

    def deliver(self, packets: Outgoing) -> None:
        self.received += [packet.text.decode() for packet in packets.packets]

    def close(self, reason: CloseReason) -> None:
        self.closed = reason
        self.session.on_transport_closed(reason)

    def send(self, text: str) -> None:
        """Send a Socket.IO packet from the client."""
        self.session.on_packet(Packet(PacketType.MESSAGE, text))

    def emit(self, *event: object, ack: int | str = "") -> None:
        self.send(f"2{ack}{json.dumps(event)}")

    @property
    def events(self) -> list[Any]:
        """The events that have arrived."""
        return [json.loads(text[2:]) for text in self.received if text.startswith("42[")]

    def answer(self, ack: int) -> Any:
        """The acknowledgement with this id."""
        [text] = [text for text in self.received if text.startswith(f"43{ack}[")]
        [argument] = json.loads(text.removeprefix(f"43{ack}"))
        return argument


class WaitingStore:
    """A Store as the router sees it: rows are answered when the test says so."""

    def __init__(self) -> None:
        self.rows: list[Message] = []
        self.seen: list[tuple[str, int]] = []
        self.read: list[tuple[str, str, int]] = []
        self._waiting: list[Done] = []
        self.full: StoreError | None = None
        self.recovery_key = b"of a chat"

    def put(self, message: Message, done: Done, *, patient: bool = False) -> None:
        if self.full is not None:
            raise self.full
        self.rows.append(message)
        self._waiting.append(done)

    def mark_read(self, lector: str, con: str, hasta: MessageId, done: Done) -> None:
        if self.full is not None:
            raise self.full
        self.read.append((lector, con, hasta))
        self._waiting.append(done)

    def mark_unread(self, lector: str, con: str, desde: MessageId, done: Done) -> None:
        self.mark_read(f"{lector} goes back", con, desde, done)

    def mark_all_read(self, lector: str, hasta: MessageId, done: Done) -> None:
        self.mark_read(lector, "everybody", hasta, done)

    def saw(self, user: str, fecha_ms: int) -> None:
        self.seen.append((user, fecha_ms))

    def answer(self, error: StoreError | None = None) -> None:
        """Answer all waiting calls."""
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done(error)


class Rig:
    """A namespace with its router."""

    def __init__(
        self,
        config: ChatConfig | None = None,
        store: Disk | SqliteStore | None = None,
        *,
        last_id: MessageId | None = None,
        call_soon: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        """`call_soon` is that of a loop whose turns the test ends."""
        self.clock = Clock()
        self._wall_ahead_s = NOW - self.clock.now
        self.timers = self.clock.timers()
        self.store = WaitingStore()
        self._turn: list[Callable[[], None]] = []
        self._outbox = Outbox(call_soon or self._turn.append)
        self.turns = Turns(self.clock.time, call_soon or self._turn.append)
        self.connections = connections(QUIET)
        self._socketio = SocketIoServer(SocketIoConfig(), self.timers, self._outbox)
        self._identity: Identity
        self.namespace = self._socketio.namespace("/", self._accept)
        ids = IdSource(self._wall_ms, 0, last_id)
        config = config or ChatConfig()
        self.limits = ChatLimits(config, self.clock.time)
        kept: Store = store or self.store  # type: ignore[assignment]  # as much of one as this needs
        self.chat = Chat(config, self.limits, self.namespace, kept, ids, self._wall_ms)
        self.recovery = Recovery(self.chat, lambda identity: None)
        self.namespace.greet = self.recovery.greet

    def enter(self, identity: Identity, line: Line | None = None, auth: str = "") -> Line:
        """A socket that has joined; the CONNECT answer is the first packet on its line."""
        line = line or Line()
        session = Session(Sid(identity.user), self, QUIET, self.timers, self._outbox, Handshake("", "", {}))
        session.transport, line.session = line, session
        session.handler = self._socketio.accept(session)
        self._identity = identity
        line.send("0" + auth)
        self.turn()
        return line

    @property
    def wall_s(self) -> float:
        """The wall clock in Unix seconds. It advances with the loop's clock, and can be set."""
        return self._wall_ahead_s + self.clock.now

    @wall_s.setter
    def wall_s(self, seconds: float) -> None:
        self._wall_ahead_s = seconds - self.clock.now

    def turn(self) -> None:
        """End the turn of the event loop: packets are sent."""
        callbacks, self._turn[:] = list(self._turn), []
        for callback in callbacks:
            callback()

    def pass_seconds(self, seconds: float) -> None:
        """Advance both clocks."""
        self.clock.pass_seconds(seconds)
        self.turn()

    def rooms(self, line: Line) -> tuple[str, ...]:
        return self.namespace.rooms.of(line.session)

    def forget(self, session: Session) -> None:
        """A session calls this at its end."""

    def _accept(self, socket: Socket, auth: Auth) -> Member | Coroutine[Any, Any, Member]:
        member = Member(socket, self._identity, self.chat.router, self.recovery, self.timers, lambda: self.wall_s)
        return self.recovery.admit(member, auth)

    def _wall_ms(self) -> int:
        return int(self.wall_s * 1000)
