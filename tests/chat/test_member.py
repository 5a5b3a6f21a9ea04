"""One socket of an authenticated user, on manual clocks."""

from __future__ import annotations

import pytest

from chatd.base.errors import RefusedError
from chatd.chat.config import ChatConfig
from chatd.engineio.reasons import CloseReason
from tests.chat.rig import NOW, Rig, who

QUIET = ChatConfig(presence="off")
GOODBYE = ["desconexion", {"code": "token_expired", "message": "The token has expired."}]


@pytest.mark.parametrize(
    ("user", "rol", "rooms"),
    [
        ("ana", "user", ("user:ana",)),
        ("ana", "Admin", ("user:ana",)),
        ("admins", "user", ("user:admins",)),
        ("root", "admin", ("user:root", "admins")),
    ],
)
def test_a_member_joins_the_rooms_of_its_token(user: str, rol: str, rooms: tuple[str, ...]) -> None:
    """C-03, C-05"""
    rig = Rig()
    assert rig.rooms(rig.enter(who(user, rol))) == rooms


@pytest.mark.parametrize("life_s", [0.25, 1.0, 59.5, 8 * 3600.0, 30 * 86_400.0])
def test_a_session_ends_at_the_expiry_of_its_token(life_s: float) -> None:
    """C-09"""
    rig = Rig(QUIET)
    line = rig.enter(who("root", "admin", expires_at=NOW + life_s))
    rig.pass_seconds(life_s - 0.01)
    assert (line.events, line.closed, len(rig.rooms(line))) == ([], None, 2)
    rig.pass_seconds(0.05)
    assert (line.events, line.closed, len(rig.rooms(line))) == ([GOODBYE], CloseReason.RECONNECT, 0)


def test_a_token_that_expires_during_the_join_ends_the_session() -> None:
    """C-09, S-17: the answer to CONNECT is still sent first."""
    rig = Rig()
    line = rig.enter(who("ana", expires_at=NOW - 1))
    rig.pass_seconds(0.05)
    assert line.received[0].startswith('40{"sid":"')
    assert (line.events, line.closed) == ([GOODBYE], CloseReason.RECONNECT)


def test_a_token_without_exp_has_no_deadline() -> None:
    """C-09"""
    rig = Rig()
    line = rig.enter(who("ana"))
    rig.pass_seconds(365 * 86_400)
    assert (line.events, line.closed) == ([], None)


def test_a_wall_clock_set_back_postpones_the_expiry() -> None:
    """C-09: `exp` is Unix time, so the wall clock decides."""
    rig = Rig()
    line = rig.enter(who("ana", expires_at=NOW + 60))
    rig.wall_s -= 3600
    rig.pass_seconds(61)
    assert line.closed is None
    rig.pass_seconds(3598)
    assert line.closed is None
    rig.pass_seconds(1.1)
    assert line.events == [GOODBYE]


def test_a_closed_socket_has_no_deadline() -> None:
    """C-09"""
    rig = Rig(QUIET)
    line = rig.enter(who("ana", expires_at=NOW + 60))
    armed = rig.timers.armed()
    line.send("1")
    assert rig.timers.armed() == armed - 1
    rig.pass_seconds(61)
    assert (line.events, line.closed) == ([], None)


def test_a_refusal_is_an_acknowledgement_or_an_event() -> None:
    """C-13"""
    rig = Rig()
    line = rig.enter(who("ana"))
    line.emit("mensaje_privado", {"para": ""})
    line.emit("mensaje_privado", {"para": ""}, ack=5)
    rig.turn()
    error = {"code": "para_invalid", "message": "para must be the name of a user, a string that is not empty."}
    assert line.events == [["mensaje_error", error]]
    assert line.answer(5) == {"ok": False, "error": error}


def test_a_refusal_for_a_closed_socket_is_not_sent() -> None:
    """C-13"""
    rig = Rig()
    line = rig.enter(who("ana"))
    [member] = [socket.handler for socket in rig.namespace.sockets.values()]
    line.send("1")
    member.refuse(None, RefusedError("code", "message"))  # type: ignore[attr-defined]
    rig.turn()
    assert line.events == []
