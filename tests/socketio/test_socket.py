"""The application's calls on a socket, before, during and after its connection."""

from __future__ import annotations

import pytest

from chatd.engineio.reasons import CloseReason
from chatd.socketio.reasons import LeaveReason
from chatd.socketio.socket import Reply, Socket
from tests.socketio.rig import Connected, Gone, Handler, Message, Peer, Rig


def one_socket(rig: Rig, name: str = "/") -> tuple[Peer, Handler]:
    app = rig.namespace(name)
    peer = rig.peer()
    peer.says(f"0{name},")
    peer.heard()
    return peer, app.handlers[0]


def a_reply(peer: Peer, handler: Handler, text: str) -> Reply:
    peer.says(text)
    reply = handler.replies[-1]
    assert reply is not None
    return reply


def test_an_event_goes_to_one_socket() -> None:
    rig = Rig()
    peer, handler = one_socket(rig, "/custom")
    handler.socket.emit("a", 1, {"b": [None, 1.5, "ñ"]})
    handler.socket.emit("c", b"\x00")
    binary = '51-/custom,["c",{"_placeholder":true,"num":0}]'
    assert peer.heard() == ['2/custom,["a",1,{"b":[null,1.5,"ñ"]}]', binary, b"\x00"]


@pytest.mark.parametrize(
    ("event", "args", "answer"),
    [
        ('27["e"]', [], ["37[]"]),
        ('2007["e"]', [1, "two"], ['37[1,"two"]']),
        ('20["e"]', [None], ["30[null]"]),
        ('2999999999999999["e"]', [{}], ["3999999999999999[{}]"]),
        ('27["e"]', [b"x"], ['61-7[{"_placeholder":true,"num":0}]', b"x"]),
    ],
)
def test_a_reply_acknowledges_its_event(event: str, args: list[object], answer: list[Message]) -> None:
    """S-30"""
    rig = Rig()
    peer, handler = one_socket(rig)
    a_reply(peer, handler, event)(*args)
    assert peer.heard() == answer


def test_a_second_reply_is_ignored() -> None:
    """S-30"""
    rig = Rig()
    peer, handler = one_socket(rig)
    reply = a_reply(peer, handler, '27["e"]')
    for number in range(3):
        reply(number)
    assert peer.heard() == ["37[0]"]


def test_replies_may_come_in_any_order_and_any_turn() -> None:
    rig = Rig()
    peer, handler = one_socket(rig)
    first, second = (a_reply(peer, handler, f'2{number}["e"]') for number in (1, 2))
    second("b")
    assert peer.heard() == ['32["b"]']
    first("a")
    assert peer.heard() == ['31["a"]']


def test_a_reply_that_cannot_be_sent_leaves_room_for_another() -> None:
    rig = Rig()
    peer, handler = one_socket(rig)
    reply = a_reply(peer, handler, '27["e"]')
    with pytest.raises(ValueError, match="is no JSON"):
        reply(float("nan"))
    reply("sorry")
    assert peer.heard() == ['37["sorry"]']


def test_rooms_are_listed_in_the_order_of_joining() -> None:
    _, handler = one_socket(Rig())
    for room in ("b", "a", "b"):
        handler.socket.join(room)
    assert list(handler.socket.rooms) == ["b", "a"]
    handler.socket.leave("b")
    handler.socket.leave("c")
    assert list(handler.socket.rooms) == ["a"]


def use(socket: Socket, reply: Reply) -> None:
    """All calls that an application can make; none may raise."""
    socket.emit("a")
    socket.emit_volatile("b")
    reply("c")
    socket.join("red")
    socket.leave("blue")
    socket.disconnect()
    assert socket.rooms == ()
    assert not socket.joined


@pytest.mark.parametrize(("end", "goodbye"), [("cut", []), ("client", []), ("server", ["1"]), ("session", ["1"])])
def test_calls_on_a_disconnected_socket_do_nothing(end: str, goodbye: list[Message]) -> None:
    rig = Rig()
    peer, handler = one_socket(rig)
    reply = a_reply(peer, handler, '27["e"]')
    match end:
        case "cut":
            peer.cuts()
        case "client":
            peer.says("1")
        case "server":
            handler.socket.disconnect()
        case _:
            handler.socket.disconnect_session()
    use(handler.socket, reply)
    assert peer.heard() == goodbye
    assert len(handler.socket.namespace.rooms) == 0
    assert sum(isinstance(word, Gone) for word in handler.told) == 1


def test_calls_on_a_disconnected_socket_do_not_reach_its_successor() -> None:
    """Both belong to the same session."""
    rig = Rig()
    peer, old = one_socket(rig)
    reply = a_reply(peer, old, '27["e"]')
    old.socket.disconnect()
    peer.says("0")
    new = next(iter(old.socket.namespace.sockets.values()))
    new.join("blue")
    peer.heard()
    use(old.socket, reply)
    assert peer.heard() == []
    assert new.rooms == ("blue",)
    assert new.joined


def test_disconnect_and_disconnect_session_say_why() -> None:
    """S-25, S-28"""
    rig = Rig()
    peer, handler = one_socket(rig)
    handler.socket.disconnect()
    peer.says("0")
    assert handler.told == [Connected(), Gone(LeaveReason.SERVER_DISCONNECT)]
    assert peer.closed is None
    next(iter(handler.socket.namespace.sockets.values())).disconnect_session()
    assert peer.closed is CloseReason.FORCED_CLOSE
