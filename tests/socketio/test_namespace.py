"""The recipients of events to a namespace, compared with a model that sends each event at once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chatd.socketio.namespace import ConnectRefusedError, Namespace
from chatd.socketio.packet import encode_event
from chatd.socketio.socket import Socket
from tests.socketio.rig import App, Handler, Peer, Rig

ROOMS = ("red", "green", "blue")


class Hall:
    """A namespace with a few clients; the name of a client lists its rooms."""

    def __init__(self, *clients: str, namespace: str = "/") -> None:
        self.rig = Rig()
        self.app: App = self.rig.namespace(namespace)
        self.peers: dict[str, Peer] = {}
        for client in clients:
            peer = self.peers[client] = self.rig.peer()
            peer.says(f"0{namespace},")
            for room in client.split("+"):
                self.socket(client).join(room)
            peer.heard()

    @property
    def namespace(self) -> Namespace:
        return self.app.namespace

    def socket(self, client: str) -> Socket:
        return self.namespace.sockets[self.peers[client].session]

    def heard(self) -> dict[str, list[str]]:
        """Names of received events by client, without the clients that received none."""
        heard = {client: [json.loads(str(m)[1:])[0] for m in peer.heard()] for client, peer in self.peers.items()}
        return {client: events for client, events in heard.items() if events}


@pytest.mark.parametrize(
    ("to", "but", "audience"),
    [
        ([], [], {"red", "green", "red+green", "blue"}),
        (["red"], [], {"red", "red+green"}),
        (["red", "green"], [], {"red", "green", "red+green"}),
        (["green", "red"], [], {"red", "green", "red+green"}),
        (["red", "red"], [], {"red", "red+green"}),
        (["nobody"], [], set()),
        (["nobody", "blue"], [], {"blue"}),
        (["nobody", "nowhere"], [], set()),
        (["red"], ["green"], {"red"}),
        ([], ["green"], {"red", "blue"}),
        (["red", "blue"], ["red"], {"blue"}),
        (["red"], ["red"], set()),
        (["red"], ["nobody"], {"red", "red+green"}),
        ([], ["red", "green", "blue"], set()),
        (("blue",), (), {"blue"}),
        ({"red", "blue"}, frozenset({"green"}), {"red", "blue"}),
    ],
)
@pytest.mark.parametrize("volatile", [False, True])
def test_an_event_goes_once_to_each_socket_in_any_of_its_rooms(
    to: Collection[str], but: Collection[str], audience: set[str], volatile: bool
) -> None:
    hall = Hall("red", "green", "red+green", "blue")
    emit = hall.namespace.emit_volatile if volatile else hall.namespace.emit
    emit("news", 1, to=to, exclude=but)
    assert hall.heard() == {client: ["news"] for client in audience}


def test_an_event_carries_its_namespace_and_its_arguments() -> None:
    hall = Hall("red", namespace="/admin")
    hall.namespace.emit("news", 1, [None], b"x", to=["red"])
    assert hall.peers["red"].heard() == ['51-/admin,["news",1,[null],{"_placeholder":true,"num":0}]', b"x"]


def test_a_packet_goes_to_everybody_in_any_of_several_rooms_once() -> None:
    hall = Hall("red", "red+green", "green", "blue")
    packet = encode_event("/", "news", [])
    for rooms in (["red", "green"], ["blue", "red", "nobody"], ["red+green"], ["nobody"], []):
        hall.namespace.send_to_rooms(packet, rooms)
    assert hall.heard() == {"red": ["news"] * 2, "red+green": ["news"] * 2, "green": ["news"], "blue": ["news"]}


def test_an_event_stays_in_its_namespace() -> None:
    """Even if a session is in both, and in rooms of the same name."""
    rig = Rig()
    main, custom = rig.namespace("/"), rig.namespace("/custom")
    peer = rig.peer()
    peer.says("0", "0/custom,")
    for app in (main, custom):
        app.handlers[0].socket.join("red")
    peer.heard()
    custom.namespace.emit("a", to=["red"])
    main.namespace.emit("b")
    assert peer.heard() == ['2/custom,["a"]', '2["b"]']
    peer.says("1/custom,")
    main.namespace.emit("c", to=["red"])
    custom.namespace.emit("d", to=["red"])
    custom.namespace.emit("e")
    assert peer.heard() == ['2["c"]']


@pytest.mark.parametrize(
    "bad", [("connect",), ("e", float("nan")), ("e", object()), ("e", *[b""] * 11)], ids=itertools.count()
)
@pytest.mark.parametrize("to", [(), ("red",)])
def test_an_event_that_cannot_be_encoded_raises_and_is_sent_to_no_one(
    bad: tuple[str, ...], to: tuple[str, ...]
) -> None:
    """S-06, S-07, S-09"""
    hall = Hall("red", "blue")
    for emit in (hall.namespace.emit, hall.namespace.emit_volatile):
        with pytest.raises((ValueError, TypeError)):
            emit(*bad, to=to)
    with pytest.raises((ValueError, TypeError)):
        hall.socket("red").emit(*bad)
    assert hall.heard() == {}


def test_volatile_events_go_only_to_sockets_that_can_send_at_once() -> None:
    hall = Hall("red", "blue")
    hall.peers["blue"].wire.writable = False
    hall.namespace.emit_volatile("a")
    hall.namespace.emit_volatile("b", to=["blue"])
    for client in ("red", "blue"):
        hall.socket(client).emit_volatile("c")
    hall.namespace.emit("d")
    assert hall.heard() == {"red": ["a", "c", "d"], "blue": ["d"]}


def test_a_volatile_event_to_a_closed_session_is_dropped() -> None:
    hall = Hall("red")
    socket = hall.socket("red")
    hall.peers["red"].cuts()
    socket.emit_volatile("a")
    hall.namespace.emit_volatile("b")
    assert hall.heard() == {}


def test_a_socket_that_joins_after_an_event_does_not_get_it() -> None:
    hall = Hall("red", "blue")
    hall.namespace.emit("a", to=["red"])
    hall.socket("blue").join("red")
    hall.namespace.emit("b", to=["red"])
    hall.socket("blue").leave("red")
    hall.namespace.emit("c", to=["red"])
    assert hall.heard() == {"red": ["a", "b", "c"], "blue": ["b"]}


def test_a_socket_that_connects_after_an_event_does_not_get_it() -> None:
    hall = Hall("red")
    hall.namespace.emit("a")
    late = hall.rig.peer()
    late.says("0")
    hall.namespace.emit("b")
    assert [str(message)[:1] for message in late.heard()] == ["0", "2"]
    assert hall.heard() == {"red": ["a", "b"]}


@pytest.mark.parametrize("to", [(), ("red",), ("red", "blue")])
@pytest.mark.parametrize("kicked", [False, True])
def test_a_socket_that_leaves_after_an_event_gets_it(to: tuple[str, ...], kicked: bool) -> None:
    hall = Hall("red", "red+green")
    hall.namespace.emit("a", to=to)
    if kicked:
        hall.socket("red").disconnect()
    else:
        hall.peers["red"].says("1")
    hall.namespace.emit("b", to=to)
    assert hall.peers["red"].heard() == ['2["a"]', "1"][: 1 + kicked]
    assert hall.heard() == {"red+green": ["a", "b"]}


def test_on_disconnect_sees_the_socket_in_no_room() -> None:
    hall = Hall("red", "red+green")
    seen: list[tuple[tuple[str, ...], int]] = []

    def look(handler: Handler) -> None:
        seen.append((handler.socket.rooms, len(hall.namespace.sockets)))
        handler.socket.join("ghost")
        handler.socket.emit("ghost")

    hall.app.on["disconnect"] = look
    hall.peers["red+green"].cuts()
    hall.peers["red"].says("1")
    assert seen == [((), 1), ((), 0)]
    assert len(hall.namespace.rooms) == 0
    assert hall.heard() == {}


def test_a_refusal_says_why() -> None:
    error = ConnectRefusedError("no", [1])
    assert (str(error), error.message, error.data) == ("no", "no", [1])
    assert ConnectRefusedError("no").data is None


client = st.integers(0, 5)
room = st.sampled_from(ROOMS)
rooms = st.lists(room, max_size=3)


class NamespaceMachine(RuleBasedStateMachine):
    """Sockets connect, disconnect, join, leave and get events, in any order within a turn and across turns."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.app = self.rig.namespace("/")
        self.peers: dict[int, Peer] = {}
        self.sockets: dict[int, Socket] = {}
        self.rooms: dict[int, set[str]] = {}
        self.expected: dict[int, list[int]] = {}
        self.number = 0

    @initialize(clients=st.sets(client, min_size=2))
    def begin(self, clients: set[int]) -> None:
        for client in clients:
            self.come(client)

    @rule(client=client)
    def come(self, client: int) -> None:
        if client not in self.peers:
            peer = self.peers[client] = self.rig.peer()
            self.expected[client] = []
            self._connect(client, peer)

    @rule(client=client)
    def come_back(self, client: int) -> None:
        if client in self.peers and client not in self.sockets:
            self._connect(client, self.peers[client])

    def _connect(self, client: int, peer: Peer) -> None:
        peer.says("0")
        self.sockets[client] = self.app.handlers[-1].socket
        self.rooms[client] = set()

    @rule(client=client)
    def cut(self, client: int) -> None:
        if client in self.peers:
            self.peers.pop(client).cuts()
            self.sockets.pop(client, None)
            self.rooms.pop(client, None)

    @rule(client=client, kicked=st.booleans())
    def leave_the_namespace(self, client: int, kicked: bool) -> None:
        if client in self.sockets:
            if kicked:
                self.sockets[client].disconnect()
            else:
                self.peers[client].says("1")
            del self.sockets[client], self.rooms[client]

    @rule(client=client, room=room)
    def join(self, client: int, room: str) -> None:
        if client in self.sockets:
            self.sockets[client].join(room)
            self.rooms[client].add(room)

    @rule(client=client, room=room)
    def leave(self, client: int, room: str) -> None:
        if client in self.sockets:
            self.sockets[client].leave(room)
            self.rooms[client].discard(room)

    @rule(client=client)
    def emit_to_one(self, client: int) -> None:
        if client in self.sockets:
            self.sockets[client].emit("e", self._next([client]))

    @rule(to=rooms, but=rooms, volatile=st.booleans())
    def emit(self, to: list[str], but: list[str], volatile: bool) -> None:
        audience = [
            client
            for client, joined in self.rooms.items()
            if (not to or joined.intersection(to)) and not joined.intersection(but)
        ]
        emit = self.app.namespace.emit_volatile if volatile else self.app.namespace.emit
        emit("e", self._next(audience), to=to, exclude=but)

    @rule(to=rooms)
    def send_to_rooms(self, to: list[str]) -> None:
        audience = [client for client, joined in self.rooms.items() if joined.intersection(to)]
        self.app.namespace.send_to_rooms(encode_event("/", "e", [self._next(audience)]), to)

    def _next(self, audience: Collection[int]) -> int:
        self.number += 1
        for client in audience:
            self.expected[client].append(self.number)
        return self.number

    @precondition(lambda self: self.peers)
    @rule()
    def end_turn(self) -> None:
        for client, peer in self.peers.items():
            events = [json.loads(str(message)[1:])[1] for message in peer.heard() if str(message).startswith("2")]
            assert events == self.expected[client]
            self.expected[client] = []

    @invariant()
    def the_model_agrees(self) -> None:
        assert set(self.app.namespace.sockets.values()) == set(self.sockets.values())
        for client, socket in self.sockets.items():
            assert set(socket.rooms) == self.rooms[client]


TestNamespace = NamespaceMachine.TestCase
