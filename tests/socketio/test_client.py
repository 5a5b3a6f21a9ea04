"""The packets of one session: their legal order, the handlers that get them, and what ends the session."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.engineio.reasons import CloseReason
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.namespace import Auth, ConnectRefusedError
from chatd.socketio.reasons import LeaveReason
from chatd.socketio.socket import Socket
from tests.socketio.rig import App, Connected, Event, Gone, Handler, Message, Peer, Rig, joined

P0 = '{"_placeholder":true,"num":0}'


def sids(messages: list[Message], head: str = "0") -> list[str]:
    return [json.loads(message.removeprefix(head))["sid"] for message in messages if isinstance(message, str)]


# Joining.


def test_a_client_joins_the_main_namespace(rig: Rig, app: App) -> None:
    """S-17: the answer has a new id, not that of the session."""
    peer = rig.peer()
    peer.says('0{"token":"x"}')
    (sid,) = sids(peer.heard())
    (handler,) = app.handlers
    assert sid == handler.socket.id != peer.session.sid
    assert handler.auth == {"token": "x"}
    assert handler.told == [Connected()]


def test_a_connect_without_payload_has_an_empty_one(rig: Rig, app: App) -> None:
    joined(rig)
    assert app.handlers[0].auth == {}


def test_each_namespace_has_its_own_id() -> None:
    """S-17"""
    rig = Rig()
    for name in ("/", "/custom"):
        rig.namespace(name)
    peer = rig.peer()
    peer.says("0", "0/custom,")
    main, custom = peer.heard()
    assert sids([main])[0] != sids([custom], "0/custom,")[0]


def test_the_answer_to_connect_precedes_what_the_handler_sends(rig: Rig, app: App) -> None:
    """S-17"""
    app.on["connect"] = lambda handler: handler.socket.emit("hello")
    peer = rig.peer()
    peer.says("0")
    answer, event = peer.heard()
    assert str(answer).startswith("0")
    assert event == '2["hello"]'


def test_an_unknown_namespace_is_refused_and_the_session_lives_on() -> None:
    """S-15, S-19"""
    rig = Rig()
    rig.namespace("/")
    peer = rig.peer()
    peer.says("0/nope,", "0/custom?a=b,", "0/nope")
    refusal = '4{},{{"message":"Invalid namespace"}}'
    assert peer.heard() == [refusal.format(name) for name in ("/nope", "/custom?a=b", "/nope")]
    peer.says("0")
    assert len(sids(peer.heard())) == 1


def test_accept_may_refuse_with_a_message_and_data() -> None:
    """S-15: the client may try again."""

    def accept(socket: Socket, auth: Auth) -> Handler:
        if "token" in auth:
            return Handler(socket, auth)
        raise ConnectRefusedError("no token", auth.get("why"))

    rig = Rig()
    rig.namespace("/auth", accept)
    peer = rig.peer()
    peer.says("0/auth,")
    assert peer.heard() == ['4/auth,{"message":"no token"}']
    peer.says('0/auth,{"why":{"code":42}}')
    assert peer.heard() == ['4/auth,{"message":"no token","data":{"code":42}}']
    peer.says('0/auth,{"token":1}')
    assert len(sids(peer.heard(), "0/auth,")) == 1


def test_an_exception_in_accept_refuses_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """S-15: without an answer the client would wait forever."""

    def accept(socket: Socket, auth: Auth) -> Handler:
        raise ZeroDivisionError

    rig = Rig()
    rig.namespace("/", accept)
    peer = rig.peer()
    peer.says("0")
    assert peer.heard() == ['4{"message":"internal error"}']
    assert peer.closed is None
    assert [record.message for record in caplog.records] == ["a door failed"]


@pytest.mark.parametrize("data", [object(), b"bytes", float("nan"), {1: object()}, ["\ud800", {2}]])
def test_a_refusal_with_data_that_json_lacks_becomes_an_internal_error(
    data: object, caplog: pytest.LogCaptureFixture
) -> None:
    """S-15: the client always gets an answer"""

    def accept(socket: Socket, auth: Auth) -> Handler:
        raise ConnectRefusedError("no", data)

    rig = Rig()
    rig.namespace("/", accept)
    peer = rig.peer()
    peer.says("0")
    assert peer.heard() == ['4{"message":"internal error"}']
    assert peer.closed is None
    assert [record.message for record in caplog.records] == ["the data of a refusal is no JSON"]


def test_a_second_connect_ends_the_session(app: App, peer: Peer) -> None:
    """S-18"""
    peer.says("0")
    assert peer.closed is CloseReason.FORCED_CLOSE
    assert peer.heard() == []
    assert [handler.told for handler in app.handlers] == [[Connected(), Gone(CloseReason.FORCED_CLOSE)]]


def test_a_socket_does_nothing_before_accept_returns() -> None:
    """Calls on the socket inside `accept` have no effect."""

    def accept(socket: Socket, auth: Auth) -> Handler:
        socket.join("red")
        socket.emit("early")
        socket.disconnect()
        assert socket.rooms == ()
        raise ConnectRefusedError("no")

    rig = Rig()
    app = rig.namespace("/", accept)
    peer = rig.peer()
    peer.says("0")
    assert peer.heard() == ['4{"message":"no"}']
    assert not app.namespace.rooms.members("red")


def test_accept_may_choose_the_id_and_add_fields_to_the_answer() -> None:
    """S-17"""
    rig = Rig()

    def accept(socket: Socket, auth: Auth) -> Handler:
        socket.id = "chosen"
        return Handler(socket, auth)

    app = rig.namespace("/", accept)
    app.namespace.greet = lambda socket: {"sid": socket.id, "handler": type(socket.handler).__name__}
    peer = rig.peer()
    peer.says("0")
    assert peer.heard() == ['0{"sid":"chosen","handler":"Handler"}']


def test_accept_may_end_the_session() -> None:
    rig = Rig()

    def accept(socket: Socket, auth: Auth) -> Handler:
        socket.disconnect_session()
        return app.accept(socket, auth)

    app = rig.namespace("/", accept)
    peer = rig.peer()
    peer.says("0")
    assert peer.closed is CloseReason.FORCED_CLOSE
    assert app.handlers[0].told == []
    assert not app.namespace.sockets


# The timeout for CONNECT.


def test_a_session_that_joins_no_namespace_is_closed() -> None:
    """S-14"""
    rig = Rig(SocketIoConfig(connect_timeout_s=2.0))
    peer = rig.peer()
    rig.pass_seconds(1.9)
    assert peer.closed is None
    rig.pass_seconds(0.2)
    assert peer.closed is CloseReason.FORCED_CLOSE


def test_a_session_with_refused_connects_only_is_closed_too() -> None:
    """S-14"""
    rig = Rig()
    peer = rig.peer()
    peer.says("0/nope")
    rig.pass_seconds(46.0)
    assert peer.closed is CloseReason.FORCED_CLOSE


def test_a_session_that_has_joined_once_may_stay_without_a_namespace(rig: Rig, peer: Peer) -> None:
    """S-14"""
    peer.says("1")
    rig.pass_seconds(1000.0)
    assert peer.closed is None


def test_a_session_that_ended_has_no_deadline() -> None:
    rig = Rig()
    peer = rig.peer()
    peer.cuts()
    assert rig.timers.armed() == 0


# Events.


def test_events_reach_the_handler_in_order(app: App, peer: Peer) -> None:
    """S-23"""
    peer.says('2["a"]', '2["b",1,{"c":null}]', "2[7,8]", "1")
    assert app.handlers[0].told == [
        Connected(),
        Event("a", []),
        Event("b", [1, {"c": None}]),
        Event(7, [8]),
        Gone(LeaveReason.CLIENT_DISCONNECT),
    ]
    assert app.handlers[0].replies == [None, None, None]


def test_events_reach_the_handler_of_their_namespace() -> None:
    rig = Rig()
    main, custom = rig.namespace("/"), rig.namespace("/custom")
    peer = joined(rig, "/", "/custom")
    peer.says('2/custom,["a"]', '2["b"]')
    assert main.handlers[0].told[1:] == [Event("b", [])]
    assert custom.handlers[0].told[1:] == [Event("a", [])]


def test_an_event_with_attachments_reaches_the_handler_when_complete(app: App, peer: Peer) -> None:
    """S-10"""
    peer.says(f'52-["a",{P0},{{"_placeholder":true,"num":1}}]', b"x")
    assert app.handlers[0].told == [Connected()]
    peer.says(b"y")
    assert app.handlers[0].told[1:] == [Event("a", [b"x", b"y"])]


def test_packets_with_attachments_may_follow_each_other(app: App, peer: Peer) -> None:
    peer.says(f'51-["a",{P0}]', b"x", f'51-["b",{P0}]', b"y", '2["c"]')
    assert app.handlers[0].told[1:] == [Event("a", [b"x"]), Event("b", [b"y"]), Event("c", [])]


@pytest.mark.parametrize(
    "messages",
    [
        ["0null"],
        ["2{}"],
        ["7"],
        [""],
        ["2[null]"],
        ['2-1["e"]'],
        ['4{"message":"x"}'],
        [b"binary"],
        ['51-["e"]', '2["e"]'],
        ['51-["e"]', "1"],
        ['51-["e"]', '51-["e"]'],
        ['51-["e"]', b"", b""],
        [f'51-["e",{P0.replace("0", "1")}]', b""],
        ['50-["e"]'],
        ['511-["e"]'],
        ['2/nope,["e"]'],
        ["31[]", "3/nope,1[]"],
        ["1/nope,"],
        ['51-/nope,["e"]'],
        ["1", '2["e"]'],
        ["1", "31[]"],
        ["1", "1"],
        ["1", '51-["e"]'],
    ],
    ids=str,
)
def test_a_protocol_violation_ends_its_own_session_only(rig: Rig, app: App, messages: list[Message]) -> None:
    """S-16, S-27, S-29"""
    peer, other = joined(rig), joined(rig)
    peer.says(*messages)
    assert peer.closed is CloseReason.FORCED_CLOSE
    assert other.closed is None
    assert list(app.namespace.sockets) == [other.session]
    assert isinstance(app.handlers[0].told[-1], Gone)
    assert app.handlers[1].told == [Connected()]


@pytest.mark.parametrize("message", ['2["x"]', "31[]", "1", '51-["e"]', b"x"], ids=str)
def test_a_packet_before_connect_ends_the_session(message: Message) -> None:
    """S-16"""
    rig = Rig()
    rig.namespace("/")
    peer = rig.peer()
    peer.says(message)
    assert peer.closed is CloseReason.FORCED_CLOSE


@given(
    st.lists(st.binary() | st.text() | st.sampled_from(["0", "0/b,", "1", '2["e"]', f'51-["e",{P0}]', "1/b", "31[]"]))
)
def test_no_input_raises_or_leaves_a_socket(messages: list[Message]) -> None:
    rig = Rig()
    apps = [rig.namespace("/"), rig.namespace("/b")]
    peer = rig.peer()
    peer.says(*messages)
    peer.cuts() if peer.closed is None else None
    for app in apps:
        assert not app.namespace.sockets
        for handler in app.handlers:
            assert isinstance(handler.told[-1], Gone)
            assert sum(isinstance(word, Gone) for word in handler.told) == 1
    assert rig.timers.armed() == 0


# Handlers that fail.


@pytest.mark.parametrize("when", ["connect", "e", "disconnect"])
def test_an_exception_in_a_handler_is_logged_and_ends_nothing(
    rig: Rig, app: App, when: str, caplog: pytest.LogCaptureFixture
) -> None:

    def fail(handler: Handler) -> None:
        raise ZeroDivisionError

    app.on[when] = fail
    other = joined(rig)
    peer = rig.peer()
    peer.says("0", '2["e"]', '2["later"]')
    assert Event("later", []) in app.handlers[1].told
    peer.cuts()
    assert peer.closed is other.closed is None
    assert list(app.namespace.sockets) == [other.session]
    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert {record.message for record in failures} == {"a handler failed"}
    assert all(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in failures)


def test_every_namespace_gets_on_disconnect_even_if_one_handler_fails(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    first, second = rig.namespace("/"), rig.namespace("/b")

    def fail(handler: Handler) -> None:
        raise ZeroDivisionError

    first.on["disconnect"] = fail
    joined(rig, "/", "/b").cuts()
    assert second.handlers[0].told[-1] == Gone(CloseReason.TRANSPORT_CLOSE)
    assert not first.namespace.sockets
    assert not second.namespace.sockets
    assert [record.message for record in caplog.records] == ["a handler failed"]


# Leaving.


def test_a_client_leaves_one_namespace_and_keeps_the_other() -> None:
    """S-24: it gets no answer."""
    rig = Rig()
    main, custom = rig.namespace("/"), rig.namespace("/custom")
    peer = joined(rig, "/", "/custom")
    peer.says("1/custom,")
    assert custom.handlers[0].told[-1] == Gone(LeaveReason.CLIENT_DISCONNECT)
    peer.says('2["still here"]')
    assert main.handlers[0].told[-1] == Event("still here", [])
    assert peer.heard() == []


def test_a_client_that_left_may_join_again_with_a_new_id(rig: Rig, app: App) -> None:
    """S-17, S-24"""
    peer = rig.peer()
    peer.says("0", "1", "0")
    first, second = sids(peer.heard())
    assert first != second
    assert [len(handler.told) for handler in app.handlers] == [2, 1]


def test_the_server_ends_a_socket_and_the_session_lives_on() -> None:
    """S-25"""
    rig = Rig()
    main, custom = rig.namespace("/"), rig.namespace("/custom")
    peer = joined(rig, "/", "/custom")
    custom.handlers[0].socket.disconnect()
    custom.handlers[0].socket.disconnect()
    assert peer.heard() == ["1/custom,"]
    assert custom.handlers[0].told == [Connected(), Gone(LeaveReason.SERVER_DISCONNECT)]
    assert main.handlers[0].told == [Connected()]
    assert peer.closed is None


@pytest.mark.parametrize(
    "late", [['2["x"]'], ['27["x"]'], ["1"], ["37[1]"], [f'51-["x",{P0}]', b"a"], ['61-7["x"]', b"a"]]
)
def test_packets_in_flight_to_a_socket_the_server_ended_are_dropped(late: list[Message]) -> None:
    """S-26"""
    rig = Rig()
    app, other = rig.namespace("/"), rig.namespace("/other")
    peer = joined(rig, "/", "/other")
    app.handlers[0].socket.disconnect()
    peer.says(*late, '2/other,["e"]')
    assert peer.closed is None
    assert isinstance(app.handlers[0].told[-1], Gone)
    assert other.handlers[0].told[-1] == Event("e", [])


def test_an_attachment_in_flight_to_a_socket_the_server_ended_is_dropped(app: App, peer: Peer) -> None:
    """S-26"""
    peer.says(f'51-["x",{P0}]')
    app.handlers[0].socket.disconnect()
    peer.says(b"a", "0")
    assert peer.closed is None
    assert [len(handler.told) for handler in app.handlers] == [2, 1]


def test_the_tolerance_for_packets_in_flight_ends_when_the_client_joins_again(app: App, peer: Peer) -> None:
    """S-26"""
    app.handlers[0].socket.disconnect()
    peer.says("0", "1", '2["x"]')
    assert peer.closed is CloseReason.FORCED_CLOSE


def test_a_client_that_left_by_itself_gets_no_tolerance(app: App, peer: Peer) -> None:
    """S-26"""
    peer.says("1")
    app.handlers[0].socket.disconnect()
    assert peer.heard() == []
    peer.says('2["x"]')
    assert peer.closed is CloseReason.FORCED_CLOSE


def test_a_handler_may_disconnect_in_on_connect(rig: Rig, app: App) -> None:
    app.on["connect"] = lambda handler: handler.socket.disconnect()
    peer = rig.peer()
    peer.says("0")
    answer, goodbye = peer.heard()
    assert sids([answer]) == [app.handlers[0].socket.id]
    assert goodbye == "1"
    assert app.handlers[0].told == [Connected(), Gone(LeaveReason.SERVER_DISCONNECT)]


def test_a_handler_may_disconnect_between_packets_of_one_read(rig: Rig, app: App) -> None:
    app.on["quit"] = lambda handler: handler.socket.disconnect()
    peer = joined(rig)
    peer.says('2["quit"]', '2["late"]')
    assert app.handlers[0].told[1:] == [Event("quit", []), Gone(LeaveReason.SERVER_DISCONNECT)]
    assert peer.closed is None


def test_ending_the_session_sends_disconnect_for_each_namespace() -> None:
    """S-28"""
    rig = Rig()
    main, custom = rig.namespace("/"), rig.namespace("/custom")
    peer = joined(rig, "/", "/custom")
    main.handlers[0].socket.emit("last")
    main.handlers[0].socket.disconnect_session()
    assert peer.heard() == ['2["last"]', "1", "1/custom,"]
    assert peer.closed is CloseReason.FORCED_CLOSE
    for app in (main, custom):
        assert app.handlers[0].told == [Connected(), Gone(LeaveReason.SERVER_DISCONNECT)]


@pytest.mark.parametrize("end", [lambda peer: peer.cuts(), lambda peer: peer.says("0")])
def test_on_disconnect_is_called_once_even_if_another_handler_ends_the_session(end: Any) -> None:
    rig = Rig()
    main, custom = rig.namespace("/"), rig.namespace("/custom")
    main.on["disconnect"] = lambda _: custom.handlers[0].socket.disconnect()
    custom.on["disconnect"] = lambda _: main.handlers[0].socket.disconnect_session()
    end(joined(rig, "/", "/custom"))
    for app in (main, custom):
        assert [type(word) for word in app.handlers[0].told] == [Connected, Gone]


def test_an_ended_session_frees_received_attachments() -> None:
    class Data(bytes):
        pass

    rig = Rig()
    rig.namespace("/")
    peer = joined(rig)
    attachment = Data(b"x")
    peer.says(f'52-["e",{P0}]', attachment)
    peer.cuts()
    assert not [holder for holder in gc.get_referrers(attachment) if isinstance(holder, list)]


# `accept` as a coroutine.


class Gate:
    """An `accept` that waits for a future of the test and returns its result."""

    def __init__(self, rig: Rig, name: str) -> None:
        self.app: App = rig.namespace(name, self.accept)
        self.knocks: list[asyncio.Future[None]] = []

    async def accept(self, socket: Socket, auth: Auth) -> Handler:
        knock: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.knocks.append(knock)
        await knock
        return self.app.accept(socket, auth)


@pytest.fixture
def gate(rig: Rig) -> Gate:
    return Gate(rig, "/slow")


async def settle(rig: Rig) -> None:
    """Run the loop until every task of the server waits for the test."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_slow_accept_answers_when_it_returns(rig: Rig, gate: Gate) -> None:
    peer = rig.peer()
    peer.says('0/slow,{"a":1}')
    await settle(rig)
    assert peer.heard() == []
    gate.knocks[0].set_result(None)
    await settle(rig)
    assert sids(peer.heard(), "0/slow,") == [gate.app.handlers[0].socket.id]
    assert gate.app.handlers[0].auth == {"a": 1}
    assert gate.app.handlers[0].told == [Connected()]
    assert len(rig.server.tasks) == 0
    rig.pass_seconds(100.0)
    assert peer.closed is None


async def test_a_slow_accept_may_refuse_with_data_and_accept_the_next_time(rig: Rig, gate: Gate) -> None:
    """S-15"""
    peer = rig.peer()
    peer.says("0/slow,")
    await settle(rig)
    gate.knocks[0].set_exception(ConnectRefusedError("no", {"code": 1}))
    await settle(rig)
    assert peer.heard() == ['4/slow,{"message":"no","data":{"code":1}}']
    peer.says("0/slow,")
    await settle(rig)
    gate.knocks[1].set_result(None)
    await settle(rig)
    assert len(sids(peer.heard(), "0/slow,")) == 1


async def test_an_exception_in_a_slow_accept_refuses_and_is_logged(
    rig: Rig, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """S-15"""
    peer = rig.peer()
    peer.says("0/slow,")
    await settle(rig)
    gate.knocks[0].set_exception(ZeroDivisionError())
    await settle(rig)
    assert peer.heard() == ['4/slow,{"message":"internal error"}']
    assert peer.closed is None
    assert [record.message for record in caplog.records] == ["a door failed"]


async def test_a_second_connect_during_accept_ends_the_session(rig: Rig, gate: Gate) -> None:
    """S-18: no socket is left."""
    peer = rig.peer()
    peer.says("0/slow,")
    await settle(rig)
    peer.says("0/slow,")
    assert peer.closed is CloseReason.FORCED_CLOSE
    await settle(rig)
    assert gate.knocks[0].cancelled()
    assert not gate.app.namespace.sockets
    assert len(rig.server.tasks) == 0


async def test_an_event_during_accept_ends_the_session() -> None:
    """S-16"""
    rig = Rig()
    Gate(rig, "/slow")
    peer = rig.peer()
    peer.says("0/slow,")
    await settle(rig)
    peer.says('2/slow,["x"]')
    assert peer.closed is CloseReason.FORCED_CLOSE


async def test_other_namespaces_work_during_accept() -> None:
    rig = Rig()
    gates, app = [Gate(rig, "/slow"), Gate(rig, "/slower")], rig.namespace("/")
    peer = rig.peer()
    peer.says("0/slow,", "0/slower,", "0", '2["e"]')
    await settle(rig)
    assert app.handlers[0].told == [Connected(), Event("e", [])]
    for gate in reversed(gates):
        gate.knocks[0].set_result(None)
        await settle(rig)
    main, *others = peer.heard()
    assert len(sids([main])) == 1
    assert [str(other).partition(",")[0] for other in others] == ["0/slower", "0/slow"]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_a_client_that_disconnects_during_accept_gets_no_socket(rig: Rig, gate: Gate, turns: int) -> None:
    peer = rig.peer()
    peer.says("0/slow,")
    for _ in range(turns):
        await asyncio.sleep(0)
    peer.cuts()
    await settle(rig)
    assert all(knock.cancelled() for knock in gate.knocks)
    assert not gate.app.handlers
    assert not gate.app.namespace.sockets
    assert len(rig.server.tasks) == 0
    assert rig.timers.armed() == 0
    gc.collect()  # a coroutine that was never awaited would warn now


async def test_a_client_that_disconnects_in_the_turn_of_accept_gets_no_socket(rig: Rig, gate: Gate) -> None:
    peer = rig.peer()
    peer.says("0/slow,")
    await settle(rig)
    gate.knocks[0].set_result(None)
    peer.cuts()
    await settle(rig)
    assert not gate.app.handlers
    assert not gate.app.namespace.sockets


async def test_an_accept_that_ignores_cancellation_gives_no_socket_to_a_lost_client() -> None:
    rig = Rig()

    async def accept(socket: Socket, auth: Auth) -> Handler:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()
        return app.accept(socket, auth)

    app = rig.namespace("/", accept)
    peer = rig.peer()
    peer.says("0")
    await settle(rig)
    peer.cuts()
    await settle(rig)
    assert app.handlers[0].told == []
    assert not app.namespace.sockets


async def test_accept_is_cancelled_at_the_timeout_for_connect(rig: Rig, gate: Gate) -> None:
    """S-14"""
    peer = rig.peer()
    peer.says("0/slow,")
    await settle(rig)
    rig.pass_seconds(46.0)
    assert peer.closed is CloseReason.FORCED_CLOSE
    await settle(rig)
    assert gate.knocks[0].cancelled()


async def test_an_exception_in_on_connect_after_a_slow_accept_is_logged(
    rig: Rig, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:

    def fail(handler: Handler) -> None:
        raise ZeroDivisionError

    gate.app.on["connect"] = fail
    peer = rig.peer()
    peer.says("0/slow,")
    await settle(rig)
    gate.knocks[0].set_result(None)
    await settle(rig)
    assert len(sids(peer.heard(), "0/slow,")) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    peer.says('2/slow,["e"]')
    assert gate.app.handlers[0].told == [Connected(), Event("e", [])]
