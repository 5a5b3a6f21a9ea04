"""The Engine.IO server: the table of sessions, and the handling of each HTTP request.

The layer above is called through `EngineHooks`; `accept` makes a handler for every new session.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

import msgspec

from chatd.base.refusals import Refusals
from chatd.base.timers import Timers
from chatd.engineio.admission import Admission, AdmissionRefusal
from chatd.engineio.config import EngineConfig
from chatd.engineio.connections import Connections
from chatd.engineio.exchange import Exchange
from chatd.engineio.handshake import handshake_fault, handshake_headers
from chatd.engineio.http import HttpConnection
from chatd.engineio.limits import Limit
from chatd.engineio.origin import OriginPolicy, refusal_message
from chatd.engineio.outbox import Outbox
from chatd.engineio.outgoing import OutgoingPacket, outgoing
from chatd.engineio.packet import Packet, PacketType
from chatd.engineio.polling import PollingTransport
from chatd.engineio.proxies import Proxies
from chatd.engineio.reasons import CloseReason
from chatd.engineio.request import KnownSession, Refusal, Request, TransportName, refusal, version_fault
from chatd.engineio.session import Handshake, Session, SessionHandler
from chatd.engineio.sid import Sid, new_sid, node_mark
from chatd.engineio.transport import DISCARD, Transport
from chatd.engineio.turns import Payer, Price, Turns
from chatd.engineio.upgrade import Upgrade
from chatd.engineio.websocket import WebSocketTransport

log = logging.getLogger("chatd.engineio")


def not_found(exchange: Exchange) -> None:
    """The answer for paths that are not served."""
    exchange.respond(404, b"not found\n", [(b"Content-Type", b"text/plain; charset=UTF-8")])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EngineHooks:
    """Callbacks to the layer above. All calls are synchronous and must not raise."""

    accept: Callable[[Session], SessionHandler]
    authorize: Callable[[Request], str | None] = lambda request: None  # why a handshake is refused with code 4, or None
    kept_headers: frozenset[bytes] = frozenset()  # headers that are kept in `Session.handshake`
    other: Callable[[Exchange], None] = not_found  # handles requests for any other path


class EngineServer:
    """Sessions by id. All calls come from the loop's thread."""

    def __init__(
        self, config: EngineConfig, timers: Timers, outbox: Outbox, turns: Turns, hooks: EngineHooks, node: int = 0
    ) -> None:
        self.sessions: dict[Sid, Session] = {}
        self.turns = turns
        self.refusals = Refusals(Limit, timers.now, log)
        self._proxies = Proxies(config.trusted_proxy)
        self.connections = Connections(config, self._proxies, self.refusals)
        self._admission = Admission(config, self.refusals, timers.now)
        self._config = config
        self._timers = timers
        self._outbox = outbox
        self._hooks = hooks
        self._mark = node_mark(node)
        self._origins = self._policy(config)
        self._paths = frozenset({config.path.rstrip("/"), config.path.rstrip("/") + "/"})
        self._upgrades: dict[Session, Upgrade] = {}
        self._open_tails = {
            TransportName.POLLING.value: _open_tail(config, [TransportName.WEBSOCKET.value]),
            TransportName.WEBSOCKET.value: _open_tail(config, []),
        }

    def use(self, config: EngineConfig) -> None:
        """Change the origins and the limits of admission; existing sessions stay. Other settings are ignored."""
        self._origins = self._policy(config)
        self._admission.use(config, [session.handshake.address for session in self.sessions.values()])

    def _policy(self, config: EngineConfig) -> OriginPolicy:
        return OriginPolicy(config.origin, config.cors_credentials, config.require_origin, self._proxies)

    def connection(self) -> HttpConnection:
        """The protocol factory for `loop.create_server`."""
        return HttpConnection(
            self.on_request,
            self._timers,
            self.connections,
            self.turns,
            request_timeout_s=self._config.request_timeout_s,
            max_header_bytes=self._config.max_header_bytes,
        )

    def close(self) -> None:
        """End every session in a way that makes clients reconnect by themselves."""
        for session in list(self.sessions.values()):
            session.close(CloseReason.SERVER_SHUTTING_DOWN)

    def stop_admitting(self) -> None:
        """Admit no new sessions from now on; open sessions stay."""
        self._admission.stop()

    def forget(self, session: Session) -> None:
        """Called by a session that has ended."""
        self.sessions.pop(session.sid, None)
        self._admission.left(session.handshake.address)
        upgrade = self._upgrades.pop(session, None)
        if upgrade is not None:
            upgrade.cancel()

    # Requests.

    def on_request(self, exchange: Exchange) -> None:
        """Serve or refuse one HTTP request after its head has arrived."""
        request = exchange.request
        exchange.payer = self.connections.payer(self._proxies.client_address(request))
        if request.path not in self._paths:
            self._hooks.other(exchange)
            return
        if self._origins.is_preflight(request):
            exchange.respond(204, b"", self._origins.preflight_headers(request))
            return
        exchange.headers += self._origins.headers(request)
        session = self.sessions.get(Sid(request.query.get("sid", "")))
        if session is not None:
            exchange.payer = session.transport.payer
        fault = refusal(request, _known(request, session))
        if fault is not None:
            _refuse(exchange, fault)
        elif not self._origins.allows(request):
            why = self._origins.log_message(request)
            self.refusals.add(Limit.ORIGIN, why, address=self._proxies.client_address(request))
            _refuse(exchange, Refusal.FORBIDDEN, message=refusal_message(request))
        elif session is None:
            self._on_handshake(exchange)
        elif request.wants_websocket:
            self._on_upgrade(exchange, session)
        else:
            _on_poll(exchange, session.transport)

    def _on_handshake(self, exchange: Exchange) -> None:
        request = exchange.request
        if self._proxies:
            request = msgspec.structs.replace(request, address=self._proxies.client_address(request))
            exchange.request = request
        forbidden = self._hooks.authorize(request)
        if forbidden is not None:
            _refuse(exchange, Refusal.FORBIDDEN, message=forbidden)
            return
        fault = version_fault(request)
        if fault is not None:
            self.refusals.add(Limit.PROTOCOL, f"handshake refused: {fault}", address=request.address)
            _refuse(exchange, Refusal.UNSUPPORTED_VERSION, detail=fault)
        elif (over_limit := self._admission.fault(request.address, len(self.sessions))) is not None:
            _refuse_admission(exchange, over_limit)
        elif request.wants_websocket:
            self._open_websocket(exchange)
        else:
            self._open_polling(exchange)

    def _open_polling(self, exchange: Exchange) -> None:
        polling = PollingTransport(self._timers, self._config, self.refusals, self.turns, exchange.payer)
        session = polling.receiver = self._open(exchange.request, polling)
        session.send_packet(self._open_packet(session))
        if self._config.engine_cookie:
            cookie = f"{self._config.engine_cookie}={session.sid}; Path=/; HttpOnly; SameSite=Lax"
            exchange.headers.append((b"Set-Cookie", cookie.encode("latin-1")))
        polling.on_get(exchange)

    def _open_websocket(self, exchange: Exchange) -> None:
        websocket = self._websocket(exchange, exchange.payer)
        if websocket is not None:
            session = websocket.receiver = self._open(exchange.request, websocket)
            # The answer and the open packet in one write: if the connection ends between them, socket.io-client waits
            # for 20 s.
            _switch_protocols(exchange, websocket, self._open_packet(session).frame)

    def _open(self, request: Request, transport: Transport) -> Session:
        """Create a session; its first packet is not sent yet."""
        kept = {name: request.header(name) for name in self._hooks.kept_headers}
        headers = {name: value for name, value in kept.items() if value is not None}
        handshake = Handshake(request.address, request.query_string, headers)
        sid = new_sid(self._mark)
        session = Session(sid, self, self._config, self._timers, self._outbox, handshake)
        session.transport = transport
        session.charge(Price.SESSION)
        self.sessions[sid] = session
        self._admission.entered(request.address)
        session.handler = self._hooks.accept(session)
        if log.isEnabledFor(logging.INFO):
            shown = {"sid": session.logged_sid, "transport": transport.name, "address": request.address}
            log.info("session open", extra=shown)
        return session

    def _open_packet(self, session: Session) -> OutgoingPacket:
        """Rule E-28: the first packet of a session."""
        fields = f'{{"sid":"{session.sid}",{self._open_tails[session.transport.name]}'
        return outgoing(Packet(PacketType.OPEN, fields))

    def _on_upgrade(self, exchange: Exchange, session: Session) -> None:
        polling = session.transport
        websocket = self._websocket(exchange, polling.payer)
        if websocket is None:
            return
        if session in self._upgrades or not isinstance(polling, PollingTransport):
            websocket.receiver = DISCARD
            _switch_protocols(exchange, websocket)
            websocket.close(CloseReason.FORCED_CLOSE)
            return
        self._upgrades[session] = Upgrade(
            session, polling, websocket, self._timers, self._config.upgrade_timeout_s, self._on_upgrade_ended
        )
        _switch_protocols(exchange, websocket)

    def _on_upgrade_ended(self, session: Session) -> None:
        self._upgrades.pop(session, None)

    def _websocket(self, exchange: Exchange, payer: Payer) -> WebSocketTransport | None:
        """Rule E-18: the transport for a WebSocket handshake; None if the handshake is invalid, after answering it."""
        if exchange.request.method != "GET":
            _refuse(exchange, Refusal.BAD_METHOD)
            return None
        fault = handshake_fault(exchange.request.headers)
        if fault is not None:
            exchange.headers.append((b"Sec-WebSocket-Version", b"13"))
            _refuse(exchange, Refusal.BAD_REQUEST, message=fault)
            return None
        as_text = exchange.request.query.get("b64", "") not in ("", "0", "false")
        return WebSocketTransport(
            self._timers, self.connections, self._config, self.turns, payer, binary_as_text=as_text
        )


def _open_tail(config: EngineConfig, upgrades: list[str]) -> str:
    """The JSON of the open packet after the sid: the same for all sessions that start with the same transport."""
    fields = {
        "upgrades": upgrades,
        "pingInterval": round(config.ping_interval_s * 1000),
        "pingTimeout": round(config.ping_timeout_s * 1000),
        "maxPayload": config.max_payload_bytes,
    }
    return msgspec.json.encode(fields).decode().removeprefix("{")


def _known(request: Request, session: Session | None) -> KnownSession:
    """Rule K-02: a session of another node is unknown here."""
    if session is not None:
        return KnownSession(session.transport.name)
    return KnownSession.UNKNOWN if "sid" in request.query else KnownSession.ABSENT


def _refuse(exchange: Exchange, why: Refusal, *, message: str | None = None, detail: str | None = None) -> None:
    headers = [(b"Content-Type", b"application/json")]
    if exchange.request.wants_websocket:
        headers.append((b"Connection", b"close"))
    exchange.respond(why.status, why.body(message, detail), headers)


def _refuse_admission(exchange: Exchange, why: AdmissionRefusal) -> None:
    exchange.headers += [(b"Retry-After", b"%d" % why.retry_after_s), (b"Connection", b"close")]
    _refuse(exchange, why.refusal, detail=why.detail)


def _on_poll(exchange: Exchange, transport: Transport) -> None:
    match exchange.request.method, transport:
        case "GET", PollingTransport():
            transport.on_get(exchange)
        case "POST", PollingTransport():
            transport.on_post(exchange)
        case _:
            exchange.respond(405, b"", [(b"Allow", b"GET, POST")])


def _switch_protocols(exchange: Exchange, websocket: WebSocketTransport, first: bytes = b"") -> None:
    request = exchange.request
    key = request.header(b"sec-websocket-key") or ""
    exchange.upgrade(websocket, handshake_headers(key, request.header(b"sec-websocket-protocol")), first)
