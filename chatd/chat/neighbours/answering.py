"""Requests of Node.js nodes: all are answered, or the asking node would wait for five seconds and fail.

What a request may do is end sockets, which is what `chatd kick` does. It may not change who is in which room, since
that is who may read. Rules N-36 to N-38.
"""

from __future__ import annotations

import functools
import logging
from asyncio import Future
from collections.abc import Callable, Mapping
from typing import Final

from chatd.chat.neighbours.describing import Describer
from chatd.chat.neighbours.roster import Roster
from chatd.chat.neighbours.taking import Taker
from chatd.cluster.adapter import frames, said
from chatd.cluster.adapter.faults import Fault, ForeignError
from chatd.cluster.adapter.frames import Options, Packet, Request, RequestType
from chatd.socketio.namespace import Namespace

MAX_PENDING: Final = 10_000
"""Acknowledgements that clients owe to Node.js nodes."""

DEFAULT_TIMEOUT_S: Final = 5.0
LONGEST_TIMEOUT_S: Final = 60.0

log = logging.getLogger("chatd.chat")


class Answerer:
    """`answer` publishes what goes back; `path` and `secure` say how clients connect."""

    def __init__(
        self,
        namespace: Namespace,
        roster: Roster,
        taker: Taker,
        answer: Callable[[bytes], None],
        path: str,
        *,
        secure: bool,
    ) -> None:
        self.answered = 0
        self._namespace = namespace
        self._roster = roster
        self._taker = taker
        self._answer = answer
        self._describer = Describer(roster, self._say, path, secure=secure)
        self._pending = 0

    def close(self) -> None:
        """Idempotent."""
        self._describer.close()

    def take(self, data: bytes) -> None:
        """Raises ForeignError."""
        self._taker.check_size(data)
        request = frames.decode_request(data)
        if request is None:
            return
        do = _REQUESTS.get(request.type)
        if do is None:
            raise ForeignError(Fault.REQUEST, f"a request of type {request.type}")
        do(self, request)

    # Questions.

    def sockets(self, request: Request) -> None:
        meant = self._roster.entered(Options(request.rooms or ()))
        self._say(said.sockets(_id(request), [entered.member.socket.id for entered in meant]))

    def all_rooms(self, request: Request) -> None:
        self._say(said.rooms(_id(request), self._roster.rooms))

    def fetch(self, request: Request) -> None:
        self._describer.ask(_id(request), _options(request))

    def server_side_emit(self, request: Request) -> None:
        if request.request_id is not None:
            self._say(said.nothing(request.request_id))

    def broadcast(self, request: Request) -> None:
        """Rule N-38."""
        if request.packet is None:
            raise ForeignError(Fault.UNREADABLE, "a broadcast without a packet")
        request_id, options = _id(request), _options(request)
        try:
            waiting = self._send(request.packet, options)
        except ForeignError:
            self._say(said.client_count(request_id, 0))
            raise
        self._say(said.client_count(request_id, len(waiting)))
        for future in waiting:
            future.add_done_callback(functools.partial(self._on_acknowledged, request_id))

    # Orders.

    def disconnect(self, request: Request) -> None:
        """Rule N-37."""
        for socket in self._roster.all_sockets(_meant(request)):
            log.info("disconnected by a Node.js node", extra={"sid": socket.session.logged_sid})
            if request.close:
                socket.disconnect_session()
            else:
                socket.disconnect()
        if request.opts is None and request.request_id is not None:
            self._say(said.done(request.request_id))

    def refuse_rooms(self, request: Request) -> None:
        """Rule N-37. Nothing to refuse, if it means none of the sockets here."""
        if self._roster.sessions(_meant(request)):
            raise ForeignError(Fault.ROOMS, "the rooms of a socket are those of its token")

    # Internals.

    def _say(self, data: bytes) -> None:
        self.answered += 1
        self._answer(data)

    def _send(self, packet: Packet, options: Options) -> list[Future[list[object]]]:
        sessions = self._roster.sessions(options)
        if not sessions:
            return []
        if self._pending + len(sessions) > MAX_PENDING:
            raise ForeignError(Fault.PENDING, f"clients owe more than {MAX_PENDING} acknowledgements")
        ack_id = self._namespace.next_ack_id()
        outgoing = self._taker.packet_for_acknowledgement(packet, ack_id)
        self._pending += len(sessions)
        timeout_s = _timeout_s(options)
        return [self._namespace.sockets[each].send_with_ack(outgoing, ack_id, timeout_s) for each in sessions]

    def _on_acknowledged(self, request_id: str, acknowledged: Future[list[object]]) -> None:
        self._pending -= 1
        if not acknowledged.cancelled() and acknowledged.exception() is None:
            arguments = acknowledged.result()
            self._say(said.acknowledgement(request_id, arguments[0] if arguments else None))


_REQUESTS: Final[Mapping[int, Callable[[Answerer, Request], None]]] = {
    RequestType.SOCKETS: Answerer.sockets,
    RequestType.ALL_ROOMS: Answerer.all_rooms,
    RequestType.REMOTE_JOIN: Answerer.refuse_rooms,
    RequestType.REMOTE_LEAVE: Answerer.refuse_rooms,
    RequestType.REMOTE_DISCONNECT: Answerer.disconnect,
    RequestType.REMOTE_FETCH: Answerer.fetch,
    RequestType.SERVER_SIDE_EMIT: Answerer.server_side_emit,
    RequestType.BROADCAST: Answerer.broadcast,
}


def _id(request: Request) -> str:
    if request.request_id is None:
        raise ForeignError(Fault.UNREADABLE, "a question without an id")
    return request.request_id


def _options(request: Request) -> Options:
    if request.opts is None:
        raise ForeignError(Fault.UNREADABLE, "a request that does not say whom it means")
    return request.opts


def _meant(request: Request) -> Options:
    """By an order, whose old form names one socket."""
    return Options((request.sid,)) if request.opts is None and request.sid is not None else _options(request)


def _timeout_s(options: Options) -> float:
    flags = options.flags
    if flags is None or flags.timeout is None or not flags.timeout > 0:
        return DEFAULT_TIMEOUT_S
    return min(flags.timeout / 1000, LONGEST_TIMEOUT_S)
