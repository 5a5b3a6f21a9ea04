"""N-33 to N-38, on sessions that record packets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from chatd.chat.member import Member
from chatd.chat.neighbours import answering, describing
from chatd.chat.neighbours.answering import Answerer
from chatd.chat.neighbours.describing import MAX_WAITING, SOCKETS_A_TURN
from chatd.chat.neighbours.roster import Roster
from chatd.chat.neighbours.taking import Taker
from chatd.cluster.adapter.faults import Fault, ForeignError
from chatd.cluster.adapter.values import Bounds
from chatd.engineio.reasons import CloseReason
from chatd.socketio.namespace import Auth
from chatd.socketio.socket import Socket
from tests.chat.rig import NOW, Line, Rig, who

BOUNDS = Bounds(max_bytes=2_000, max_depth=8, max_attachments=2, max_containers=100, max_values=100)


class NodeSide(Rig):
    """A chat, and the messages between it and a Node.js node."""

    def __init__(self, position: Callable[[], str] | None = None) -> None:
        super().__init__()
        self.answers: list[Any] = []
        self.roster = Roster(self.namespace, self._wall_ms)
        self.chat.router.add(self.roster.feature)
        self.taker = Taker(self.namespace, self.roster, BOUNDS, position)
        self.answerer = Answerer(self.namespace, self.roster, self.taker, self._keep, "/socket.io/", secure=True)

    def emit(self, *data: object, rooms: tuple[object, ...] = (), room: str = "", **options: Any) -> None:
        said = ["x", {"type": 2, "data": data, "nsp": "/"}, {"rooms": rooms, **options}]
        self.taker.take(room, msgspec.msgpack.encode(said))
        self.turn()

    def ask(self, kind: int, **fields: object) -> None:
        self.answerer.take(json.dumps({"uid": "x", "requestId": "q", "type": kind, **fields}).encode())
        self.turn()

    def ask_clients(self, *data: object, **options: object) -> None:
        packet = {"type": 2, "data": data, "nsp": "/"}
        asked = {"type": 7, "requestId": "q", "packet": packet, "opts": {"rooms": [], **options}}
        self.answerer.take(msgspec.msgpack.encode(asked))
        self.turn()

    def _keep(self, data: bytes) -> None:
        self.answers.append(json.loads(data) if data.startswith(b"{") else msgspec.msgpack.decode(data))

    def _accept(self, socket: Socket, auth: Auth) -> Member | Coroutine[Any, Any, Member]:
        member = Member(socket, self._identity, self.chat.router, self.recovery, self.timers, lambda: self.wall_s)
        return self.recovery.admit(member, auth)


@pytest.fixture
def node() -> NodeSide:
    return NodeSide()


def fault(node: NodeSide, kind: int, **fields: object) -> Fault:
    with pytest.raises(ForeignError) as caught:
        node.ask(kind, **fields)
    return caught.value.fault


def sid(line: Line) -> str:
    return str(json.loads(line.received[0].removeprefix("40"))["sid"])


def test_an_event_is_sent_to_rooms_and_counted_if_they_have_members(node: NodeSide) -> None:
    ana, root = node.enter(who("ana")), node.enter(who("root", "admin"))
    node.emit("news", 1, rooms=("user:ana", "admins"))
    node.emit("news", 2, rooms=("user:eva",))
    node.emit("news", 3, rooms=("user:ana",), room="user:eva")
    node.emit("news", 4, rooms=("user:ana", "user:ana", sid(ana)), room="")
    but: dict[str, Any] = {"except": ["user:ana", sid(root)]}
    node.emit("news", 5, **but)
    assert [event[1] for event in ana.events] == [1, 4]
    assert [event[1] for event in root.events] == [1]
    assert node.taker.taken == 2


def test_a_volatile_event_is_sent_to_writable_sockets_only(node: NodeSide) -> None:
    """N-33"""
    ana, eva = node.enter(who("ana")), node.enter(who("eva"))
    eva.writable = False
    node.emit("news", 1, flags={"volatile": True, "compress": False})
    node.emit("news", 2, flags={"volatile": None})
    assert [event[1] for event in ana.events] == [1, 2]
    assert [event[1] for event in eva.events] == [2]


def test_with_recovery_no_event_ends_in_a_string_other_than_an_offset() -> None:
    """N-35"""
    node = NodeSide(lambda: "a position")
    ana = node.enter(who("ana"))
    node.emit("reload", rooms=("user:ana",))
    node.emit("say", "a", "b")
    node.emit("object", {"a": "b"})
    node.emit("number", "a", 1)
    assert ana.events == [
        ["reload", "a position"],
        ["say", "a", "b", "a position"],
        ["object", {"a": "b"}],
        ["number", "a", 1],
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (["disconnect"], Fault.EVENT),
        ([True], Fault.EVENT),
        ([], Fault.EVENT),
        (["h", "x" * 3_000], Fault.MAX_PAYLOAD),
        (["h", "\x00" * 1_000], Fault.MAX_PAYLOAD),  # six bytes each, in JSON
        (["h", b"", b"", b""], Fault.MAX_ATTACHMENTS),
    ],
)
def test_an_event_that_clients_would_refuse_is_not_sent(node: NodeSide, data: list[Any], expected: Fault) -> None:
    """N-34"""
    ana = node.enter(who("ana"))
    with pytest.raises(ForeignError) as caught:
        node.emit(*data)
    assert caught.value.fault is expected
    assert ana.events == []


def test_an_event_without_recipients_is_not_decoded(node: NodeSide) -> None:
    node.emit("disconnect", rooms=("user:ana",))
    node.emit("disconnect")
    assert node.taker.taken == 0


def test_sockets_and_rooms_are_listed(node: NodeSide) -> None:
    """N-36"""
    ana, root = node.enter(who("ana")), node.enter(who("root", "admin"))
    node.ask(0, rooms=["user:ana"])
    node.ask(0)
    node.ask(1)
    first, second, third = node.answers
    assert first == {"requestId": "q", "sockets": [sid(ana)]}
    assert set(second["sockets"]) == {sid(ana), sid(root)}
    assert set(third["rooms"]) == {"user:ana", "user:root", "admins", sid(ana), sid(root)}


async def test_a_closed_socket_is_not_listed(node: NodeSide) -> None:
    ana = node.enter(who("ana"))
    ana.send("1")
    node.ask(5, opts={"rooms": []})
    await settled()
    node.ask(1)
    assert node.answers == [{"requestId": "q", "sockets": []}, {"requestId": "q", "rooms": []}]


async def test_the_description_of_a_socket_has_the_form_of_node(node: NodeSide) -> None:
    """N-36"""
    root = node.enter(who("root", "admin"))
    node.ask(5, opts={"rooms": [sid(root)], "except": []})
    await settled()
    [answer] = node.answers
    [told] = answer["sockets"]
    assert told["handshake"] == {
        "headers": {},
        "time": "Fri Jan 15 2027 08:00:00 GMT+0000 (Coordinated Universal Time)",
        "address": "",
        "xdomain": False,
        "secure": True,
        "issued": int(NOW * 1000),
        "url": "/socket.io/?",
        "query": {},
        "auth": {},
    }
    assert told["rooms"] == [sid(root), "user:root", "admins"]


async def test_a_list_of_many_sockets_takes_several_turns_and_omits_closed_ones(node: NodeSide) -> None:
    """N-36"""
    lines = [node.enter(who(f"user {number}")) for number in range(2 * SOCKETS_A_TURN + 50)]
    node.ask(5, opts={"rooms": []})
    node.ask(5, opts={"rooms": ["user:user 0"]})
    await asyncio.sleep(0)
    for line in lines[1:]:
        line.send("1")
    assert node.answers == []
    await settled()
    await settled()
    many, one = node.answers
    assert SOCKETS_A_TURN <= len(many["sockets"]) <= SOCKETS_A_TURN + 1
    assert [each["id"] for each in one["sockets"]] == [sid(lines[0])]


async def test_waiting_requests_are_bounded(node: NodeSide) -> None:
    """N-36"""
    for _ in range(MAX_WAITING):
        node.ask(5, opts={"rooms": []})
    assert fault(node, 5, opts={"rooms": []}) is Fault.PENDING
    node.answerer.close()
    await settled()
    assert node.answers == []


async def test_rooms_of_waiting_requests_are_bounded(node: NodeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """N-43"""
    monkeypatch.setattr(describing, "MAX_WAITING_CHARS", 20)
    node.ask(5, opts={"rooms": ["user:" + 40 * "a"]})  # one request of any length is accepted
    assert fault(node, 5, opts={"rooms": ["user:ana"]}) is Fault.PENDING
    assert fault(node, 5, opts={"rooms": [], "except": ["user:ana"]}) is Fault.PENDING
    await settled()
    for _ in range(2):
        node.ask(5, opts={"rooms": ["user:ana"]})
    assert fault(node, 5, opts={"rooms": ["user:ana"]}) is Fault.PENDING
    await settled()
    assert len(node.answers) == 3


def test_joins_and_leaves_of_local_sockets_are_refused(node: NodeSide) -> None:
    """N-37"""
    ana = node.enter(who("ana"))
    for kind in (2, 3):
        node.ask(kind, opts={"rooms": ["user:eva"]}, rooms=["admins"])
        assert fault(node, kind, opts={"rooms": ["user:ana"]}, rooms=["admins"]) is Fault.ROOMS
        assert fault(node, kind, sid=sid(ana), room="admins") is Fault.ROOMS
    assert node.rooms(ana) == ("user:ana",)
    assert node.answers == []


def test_sockets_are_disconnected_with_or_without_their_session(node: NodeSide) -> None:
    """N-37"""
    ana, eva, root = [node.enter(who(user)) for user in ("ana", "eva", "root")]
    node.ask(4, opts={"rooms": ["user:ana"]}, close=True)
    assert (ana.received[-1], ana.closed) == ("41", CloseReason.FORCED_CLOSE)
    node.ask(4, sid=sid(eva))
    assert (eva.received[-1], eva.closed) == ("41", None)
    assert node.answers == [{"requestId": "q"}]
    assert (root.received[-1], root.closed) != ("41", None)


def test_a_socket_in_recovery_is_disconnected_too(node: NodeSide) -> None:
    """N-37: otherwise a user who is logged out during its recovery would stay connected."""
    ana = node.enter(who("ana"))
    entered = node.roster._entered.pop(sid(ana))
    node.namespace.rooms.leave_all(ana.session)
    node.ask(4, opts={"rooms": ["user:ana"], "except": [sid(ana)]})
    node.ask(4, opts={"rooms": ["admins"]})
    assert ana.received[-1] != "41"
    node.ask(4, opts={"rooms": ["user:ana"]})
    assert ana.received[-1] == "41"
    assert entered.member.identity.user == "ana"


def test_invalid_requests_are_refused(node: NodeSide) -> None:
    """N-34"""
    assert fault(node, 8) is Fault.REQUEST
    assert fault(node, 5) is Fault.UNREADABLE
    assert fault(node, 7, opts={"rooms": []}) is Fault.UNREADABLE
    assert fault(node, 1, requestId=None) is Fault.UNREADABLE
    assert fault(node, 1, pad="x" * 3_000) is Fault.MAX_PAYLOAD


def test_server_side_events_get_no_answer(node: NodeSide) -> None:
    """N-36"""
    node.ask(6, data=["h", 1])
    node.ask(6, requestId=None, data=["h", 1])
    assert node.answers == [{"type": 6, "requestId": "q", "data": None}]


async def test_acknowledgements_follow_the_count_of_clients(node: NodeSide) -> None:
    """N-38"""
    ana, _ = node.enter(who("ana")), node.enter(who("eva"))
    node.ask_clients("h", "text", flags={"timeout": 1_000})
    assert node.answers == [{"type": 8, "requestId": "q", "clientCount": 2}]
    assert ana.received[-1] == '420["h","text"]'
    ana.send('30[{"a":1},2]')
    await settled()
    assert node.answers[1:] == [{"type": 9, "requestId": "q", "packet": {"a": 1}}]
    node.pass_seconds(2)
    await settled()
    assert len(node.answers) == 2
    assert node.answerer._pending == 0


async def test_pending_acknowledgements_are_bounded(node: NodeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """N-38"""
    monkeypatch.setattr(answering, "MAX_PENDING", 1)
    ana = node.enter(who("ana"))
    node.ask_clients("h")
    with pytest.raises(ForeignError) as caught:
        node.ask_clients("h")
    assert caught.value.fault is Fault.PENDING
    assert [answer["clientCount"] for answer in node.answers] == [1, 0]
    assert len(ana.received) == 2
    ana.send("1")  # the session ends, and with it the acknowledgement
    await settled()
    node.enter(who("eva"))
    node.ask_clients("h", flags={"timeout": 1e300})
    assert node.answers[-1] == {"type": 8, "requestId": "q", "clientCount": 1}
    assert all(answer["type"] == 8 for answer in node.answers)


async def test_an_event_that_is_refused_has_a_client_count_of_0(node: NodeSide) -> None:
    """N-38"""
    node.enter(who("ana"))
    with pytest.raises(ForeignError):
        node.ask_clients("connect")
    assert node.answers == [{"type": 8, "requestId": "q", "clientCount": 0}]
    assert node.answerer._pending == 0


async def settled() -> None:
    """Wait until callbacks of futures have run."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
