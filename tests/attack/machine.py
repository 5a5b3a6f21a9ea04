"""A Hypothesis state machine that attacks the whole server: raw bytes on several connections, legal and illegal
packets, split at any byte, while two honest clients chat.

Server and attackers share one event loop, whose clock the machine advances: so a run is repeated exactly, and
heartbeats and timeouts take no time. The machine does not know what the server should answer. Invariants: no error is
logged, the messages of the honest clients arrive in order and complete, and after the attackers have disconnected the
server holds what it held before.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from chatd.daemon.config import Raw
from tests.attack import moves
from tests.attack.honest import attacked, error_log, growth, holdings
from tests.attack.loop import SkippingLoop
from tests.attack.moves import Cut, Http
from tests.chat.people import Chat, token
from tests.conformance.wire import BINARY, CLOSE, SEPARATOR, TEXT, Client, Connection, frame_bytes, request_bytes
from tests.conformance.wire import handshake_headers as upgrade_headers

LONGEST_SKIP_S: Final = 12.0  # less than the time in which the honest clients must answer a ping
LONGEST_TIMEOUT_S: Final = 96.0  # a client has 45 s to join, and the final packets wait 30 s for the next poll

TIGHT: Final[dict[str, Raw]] = {
    "max_payload": "1000",
    "max_packets": "5",
    "max_queued": "65536",
    "max_header": "1024",
    "max_connections": "8",
    "accept_rate": "20",
    "message_rate": "1000",
    "message_burst": "60",
    "synchronous": "normal",
}
LAX: Final[dict[str, Raw]] = {
    "max_payload": "20000",
    "accept_rate": "0",
    "accept_rate_per_address": "0",
    "engine_cookie": "io",
    "origin": ["http://listed.example", "https://*.example"],
    "trusted_proxy": ["127.0.0.1", "10.0.0.0/8"],
    "synchronous": "normal",
}

TARGETS: Final = [
    "/socket.io/",
    "/socket.io",
    "/",
    "/socket.io/x",
    "*",
    "http://x/socket.io/",
    "/socket.io/?" + "a=1&" * 101,
]

Sid = str


class WholeServer(RuleBasedStateMachine):
    """One run: a server with its honest clients, from start to stop."""

    connections = Bundle("connections")
    members = Bundle("members")  # connections that joined the chat by WebSocket
    sids = Bundle("sids")

    steps: ClassVar[int] = 0  # of all runs

    def __init__(self) -> None:
        super().__init__()
        self.loop = SkippingLoop()
        self.exits = contextlib.ExitStack()
        self.async_exits = contextlib.AsyncExitStack()
        self.errors = self.exits.enter_context(error_log())
        self.folder = Path(self.exits.enter_context(tempfile.TemporaryDirectory()))
        self.tokens = {"good": token("mallory"), "admin": token("eve", "admin"), "bad": "a.b.c"}

    # Start and stop.

    @initialize(settings=st.sampled_from([TIGHT, LAX]))
    def start(self, settings: dict[str, Raw]) -> None:
        self._run(self._start(settings))

    async def _start(self, settings: dict[str, Raw]) -> None:
        context = attacked(self.folder / "chatd.db", **settings)
        self.chat: Chat
        self.chat, self.couple = await self.async_exits.enter_async_context(context)
        self.attackers = Client(self.chat.client.host, self.chat.client.port, self.chat.client.path)
        await self.couple.talk()
        self.before = holdings(self.chat)

    def teardown(self) -> None:
        try:
            if hasattr(self, "before"):
                self.loop.run_until_complete(self._stop())
        finally:
            self.loop.close()
            self.exits.close()
        assert not self.errors.records, self.errors.records

    async def _stop(self) -> None:
        try:
            await self.attackers.aclose()
            await self._outlive_timeouts()
            grown = growth(self.before, holdings(self.chat))
            assert not grown, grown
        finally:
            await self.async_exits.aclose()

    async def _outlive_timeouts(self) -> None:
        lived_s = 0.0
        while lived_s < LONGEST_TIMEOUT_S:
            await self.couple.talk()
            self.loop.skip(LONGEST_SKIP_S)
            lived_s += LONGEST_SKIP_S
        await self.couple.talk()

    @invariant()
    def honest_clients_are_not_affected(self) -> None:
        if hasattr(self, "before"):
            type(self).steps += 1
            self.loop.run_until_complete(self.couple.talk())
            assert not self.errors.records, self.errors.records

    # Moves: TCP.

    @rule(target=connections)
    def connect(self) -> Any:
        return self._run(self._connect())

    @rule(connection=connections, cut=moves.rubbish)
    def send_rubbish(self, connection: Connection, cut: Cut) -> None:
        self._run(self._write(connection, cut))

    @rule(connection=consumes(connections), how=st.sampled_from(["close", "abort", "end_writing"]))
    def end(self, connection: Connection, how: str) -> None:
        with contextlib.suppress(OSError):
            getattr(connection, how)()
        self._run(self._settle())

    @rule(connection=connections)
    def stop_reading(self, connection: Connection) -> None:
        with contextlib.suppress(RuntimeError):
            connection.stop_reading()

    @rule(seconds=st.floats(0.001, LONGEST_SKIP_S))
    def let_time_pass(self, seconds: float) -> None:
        self.loop.skip(seconds)
        self._run(self._settle())

    # Moves: HTTP.

    @rule(target=sids, who=st.sampled_from(["good", "admin", "bad", "none"]))
    def open_polling(self, who: str) -> Any:
        return self._run(self._open_polling(who))

    @rule(connection=connections, sid=sids, request=moves.requests, places=moves.places, eio=st.sampled_from("4443"))
    def request(self, connection: Connection, sid: Sid, request: Http, places: tuple[int, ...], eio: str) -> None:
        target = self._target(EIO=eio, transport="polling", sid=sid)
        self._run(self._write(connection, Cut(request.bytes_for(target), places)))

    @rule(connection=connections, where=st.sampled_from(TARGETS), request=moves.requests, places=moves.places)
    def request_elsewhere(self, connection: Connection, where: str, request: Http, places: tuple[int, ...]) -> None:
        self._run(self._write(connection, Cut(request.bytes_for(where), places)))

    @rule(sid=sids)
    def poll_and_stay(self, sid: Sid) -> None:
        self._run(self._begin("GET", sid, b""))

    @rule(sid=sids, payload=moves.payloads)
    def post(self, sid: Sid, payload: str) -> None:
        self._run(self._begin("POST", sid, payload.encode("utf-8", "surrogatepass")))

    @rule(sid=sids, message=st.sampled_from(moves.LEGAL))
    def join_and_post(self, sid: Sid, message: str) -> None:
        self._run(self._begin("POST", sid, SEPARATOR.join(["40", message]).encode()))

    @rule(sid=sids, count=st.integers(2, 6))
    def poll_at_once(self, sid: Sid, count: int) -> None:
        self._run(self._begin("GET", sid, b"", count=count))

    # Moves: WebSocket.

    @rule(target=connections, who=st.sampled_from(["good", "good", "admin", "none"]), early=moves.frames)
    def open_websocket(self, who: str, early: Cut) -> Any:
        return self._run(self._open_websocket(who, "", early))

    @rule(targets=(connections, members), who=st.sampled_from(["good", "admin"]), cut=moves.speeches)
    def open_websocket_and_join(self, who: str, cut: Cut) -> Any:
        return self._run(self._open_websocket(who, "", Cut(frame_bytes(TEXT, b"40") + cut.data, cut.places)))

    @rule(member=members, cut=moves.speeches)
    def speak(self, member: Connection, cut: Cut) -> None:
        self._run(self._write(member, cut))

    @rule(target=connections, sid=sids, early=moves.frames)
    def upgrade_badly(self, sid: Sid, early: Cut) -> Any:
        return self._run(self._open_websocket("none", sid, early))

    @rule(
        target=connections, sid=sids, said=st.sampled_from(["2probe", "2probe 5", "5", "2probe 5 40 41", "2probe 40"])
    )
    def upgrade(self, sid: Sid, said: str) -> Any:
        frames = b"".join(frame_bytes(TEXT, word.encode()) for word in said.split())
        return self._run(self._open_websocket("none", sid, Cut(frames, ())))

    @rule(connection=connections, cut=moves.frames)
    def send_frames(self, connection: Connection, cut: Cut) -> None:
        self._run(self._write(connection, cut))

    @rule(connection=connections, message=moves.packets, count=st.integers(1, 120))
    def flood(self, connection: Connection, message: str, count: int) -> None:
        data = frame_bytes(TEXT, message.encode("utf-8", "surrogatepass")) * count
        self._run(self._write(connection, Cut(data, ())))

    @rule(connection=connections, size=st.sampled_from([900, 1_001, 20_001, 300_000]))
    def send_much(self, connection: Connection, size: int) -> None:
        self._run(self._write(connection, Cut(frame_bytes(BINARY, bytes(size)), (10,))))

    @rule(connection=connections)
    def say_goodbye(self, connection: Connection) -> None:
        self._run(self._write(connection, Cut(frame_bytes(CLOSE, b"\x03\xe8"), ())))

    # Moves: the server itself.

    @rule(dice=st.integers(0, 100), how=st.sampled_from(["disconnect", "disconnect_session", "emit"]))
    def call_the_server(self, dice: int, how: str) -> None:
        strangers = [socket for socket in self.chat.namespace.sockets.values() if self._is_stranger(socket)]
        if strangers:
            socket: Any = strangers[dice % len(strangers)]
            getattr(socket, how)(*(["news", {"much": "x" * 2_000, "bytes": b"\x00" * dice}] if how == "emit" else []))

    @rule(count=st.integers(1, 40))
    def broadcast_to_all_but_admins(self, count: int) -> None:
        for number in range(count):
            self.chat.namespace.emit("news", number, "x" * 3_000, exclude=["admins", "user:ana"])

    def _is_stranger(self, socket: Any) -> bool:
        return socket.handler.identity.user not in ("ana", "root")

    # Helpers.

    def _run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def _target(self, **query: str) -> str:
        return f"{self.attackers.path}?{urlencode(query)}"

    def _cookie(self, who: str) -> dict[str, str]:
        return {"Cookie": f"token={self.tokens[who]}"} if who in self.tokens else {}

    async def _settle(self) -> None:
        """Wait until the server has read everything that was written."""
        connection = await self.attackers.connect()
        await connection.request("GET", "/settled")
        connection.abort()

    async def _connect(self) -> Connection:
        return await self.attackers.connect()

    async def _write(self, connection: Connection, cut: Cut) -> None:
        for piece in cut.pieces:
            with contextlib.suppress(RuntimeError):  # this side has sent EOF
                connection.write(piece)
            await self._settle()

    async def _begin(self, method: str, sid: Sid, body: bytes, count: int = 1) -> None:
        target = self._target(EIO="4", transport="polling", sid=sid)
        for _ in range(count):
            connection = await self.attackers.connect()
            connection.write(request_bytes(method, target, {}, body if method == "POST" else None))
        await self._settle()

    async def _open_polling(self, who: str) -> Any:
        connection = await self.attackers.connect()
        answer = await connection.request("GET", self._target(EIO="4", transport="polling"), headers=self._cookie(who))
        return answer.text.split('"')[3] if answer.status == 200 else multiple()

    async def _open_websocket(self, who: str, sid: Sid, early: Cut) -> Connection:
        connection = await self.attackers.connect()
        query = {"EIO": "4", "transport": "websocket", **({"sid": sid} if sid else {})}
        headers = {**upgrade_headers(), **self._cookie(who)}
        connection.write(request_bytes("GET", self._target(**query), headers) + (early.pieces or [b""])[0])
        await self._settle()
        for piece in early.pieces[1:]:
            connection.write(piece)
            await self._settle()
        return connection
