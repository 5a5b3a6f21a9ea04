"""One socket of a known user, with clocks made by hand."""

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
def test_a_token_ends_the_session_when_it_expires_and_not_before(life_s: float) -> None:
    """C-09"""
    rig = Rig(QUIET)
    line = rig.enter(who("root", "admin", expires_at=NOW + life_s))
    rig.pass_seconds(life_s - 0.01)
    assert (line.events, line.closed, len(rig.rooms(line))) == ([], None, 2)
    rig.pass_seconds(0.05)
    assert (line.events, line.closed, len(rig.rooms(line))) == ([GOODBYE], CloseReason.RECONNECT, 0)


def test_a_token_that_expires_between_the_door_and_the_room_ends_the_session() -> None:
    """C-09, S-17: and the answer to CONNECT still comes first."""
    rig = Rig()
    line = rig.enter(who("ana", expires_at=NOW - 1))
    rig.pass_seconds(0.05)
    assert line.received[0].startswith('40{"sid":"')
    assert (line.events, line.closed) == ([GOODBYE], CloseReason.RECONNECT)


def test_a_token_for_ever_has_no_deadline() -> None:
    """C-09"""
    rig = Rig()
    line = rig.enter(who("ana"))
    rig.pass_seconds(365 * 86_400)
    assert (line.events, line.closed) == ([], None)


def test_a_wall_clock_that_was_set_back_gives_the_token_its_time_again() -> None:
    """C-09: the token says Unix time, and that is what it is held to."""
    rig = Rig()
    line = rig.enter(who("ana", expires_at=NOW + 60))
    rig.wall_s -= 3600
    rig.pass_seconds(61)
    assert line.closed is None
    rig.pass_seconds(3598)
    assert line.closed is None
    rig.pass_seconds(1.1)
    assert line.events == [GOODBYE]


def test_whoever_leaves_leaves_no_deadline_behind() -> None:
    """C-09"""
    rig = Rig(QUIET)
    line = rig.enter(who("ana", expires_at=NOW + 60))
    armed = rig.timers.armed()
    line.send("1")
    assert rig.timers.armed() == armed - 1
    rig.pass_seconds(61)
    assert (line.events, line.closed) == ([], None)


def test_a_refusal_is_told_in_the_way_that_the_sender_can_hear() -> None:
    """C-13"""
    rig = Rig()
    line = rig.enter(who("ana"))
    line.emit("mensaje_privado", {"para": ""})
    line.emit("mensaje_privado", {"para": ""}, ack=5)
    rig.turn()
    error = {"code": "para_invalid", "message": "para must be the name of a user, a string that is not empty."}
    assert line.events == [["mensaje_error", error]]
    assert line.answer(5) == {"ok": False, "error": error}


def test_a_refusal_of_somebody_who_is_gone_is_told_to_nobody() -> None:
    """C-13"""
    rig = Rig()
    line = rig.enter(who("ana"))
    [member] = [socket.handler for socket in rig.namespace.sockets.values()]
    line.send("1")
    member.refuse(None, RefusedError("code", "message"))  # type: ignore[attr-defined]
    rig.turn()
    assert line.events == []
