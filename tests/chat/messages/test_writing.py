"""`escribiendo`: recipients, end, rate limit; on a manual clock."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatd.chat.config import ChatConfig
from chatd.chat.limits import PATIENCE_BURSTS, TYPING_BURST
from chatd.engineio.reasons import CloseReason
from tests.chat.rig import Line, Rig, who

OFF = {"presence": "off", "typing_rate": 0.0, "message_rate": 0.0}
TIMEOUT_S = 6.0


def quiet(**settings: Any) -> Rig:
    return Rig(ChatConfig(**{**OFF, **settings}))


def says(line: Line, para: str, activo: object = True, ack: int | str = "") -> None:
    line.emit("escribiendo", {"para": para, "activo": activo}, ack=ack)


def heard(rig: Rig, *lines: Line) -> list[list[tuple[str, str, bool]]]:
    """The typing events that each line has received since the last call."""
    rig.turn()
    events = [[event for name, event in line.events if name == "escribiendo"] for line in lines]
    for line in lines:
        line.received.clear()
    return [[(event["de"], event["para"], event["activo"]) for event in each] for each in events]


def test_typing_is_sent_to_the_addressee_and_not_to_the_author() -> None:
    """C-52: to no socket of the author; from an admin only to the addressee."""
    rig = quiet()
    tabs = [rig.enter(who("ana")) for _ in range(2)]
    eva, root, boss = rig.enter(who("eva")), rig.enter(who("root", "admin")), rig.enter(who("boss", "admin"))
    says(tabs[0], "eva")
    told = ("ana", "eva", True)
    assert heard(rig, *tabs, eva, root, boss) == [[], [], [told], [told], [told]]
    says(root, "ana")
    told = ("root", "ana", True)
    assert heard(rig, *tabs, eva, root, boss) == [[told], [told], [], [], []]
    says(root, "boss")
    assert heard(rig, root, boss, eva) == [[], [("root", "boss", True)], []]


def test_typing_to_all_admins_is_sent_to_all_but_the_author() -> None:
    """C-52, C-08"""
    rig = quiet(admin_messages="all")
    root, boss, aide = (rig.enter(who(name, "admin")) for name in ("root", "boss", "aide"))
    says(root, "boss")
    assert heard(rig, root, boss, aide) == [[], [("root", "boss", True)], [("root", "boss", True)]]
    boss.send("1")
    rig.pass_seconds(TIMEOUT_S + 0.1)
    assert heard(rig, root, aide) == [[], [("root", "boss", False)]]


def test_typing_is_not_stored() -> None:
    """C-52"""
    rig = quiet()
    ana = rig.enter(who("ana"))
    says(ana, "root", ack=1)
    rig.turn()
    assert ana.answer(1) == {"ok": True}
    assert rig.store.rows == []


def test_a_slow_recipient_misses_typing_and_gets_its_end() -> None:
    """C-52: no client keeps showing that a user is typing."""
    rig = quiet()
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    root.writable = False
    says(ana, "root")
    assert heard(rig, root) == [[]]
    says(ana, "root", activo=False)
    assert heard(rig, root) == [[("ana", "root", False)]]


def test_the_end_of_typing_is_sent_once() -> None:
    """C-53"""
    rig = quiet()
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    says(ana, "root", activo=False)
    assert heard(rig, root) == [[]]
    says(ana, "root")
    says(ana, "root", activo=False)
    says(ana, "root", activo=False)
    assert heard(rig, root) == [[("ana", "root", True), ("ana", "root", False)]]
    rig.pass_seconds(60)
    assert heard(rig, root) == [[]]


def test_typing_ends_after_a_timeout_unless_repeated() -> None:
    """C-53"""
    rig = quiet()
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    timers = rig.timers.armed()
    for _ in range(5):
        says(ana, "root")
        rig.pass_seconds(TIMEOUT_S - 0.1)
    assert heard(rig, root) == [[("ana", "root", True)] * 5]
    assert rig.timers.armed() == timers + 1
    rig.pass_seconds(0.2)
    assert heard(rig, root) == [[("ana", "root", False)]]
    assert rig.timers.armed() == timers
    assert rig.chat.writers.active == {}


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
def test_typing_ends_with_a_message_to_the_same_addressee(deliver: str) -> None:
    """C-53: before the message; other conversations are not affected."""
    rig = quiet(deliver=deliver)
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    says(ana, "root")
    says(ana, "eva")
    heard(rig, root)
    ana.emit("mensaje_privado", {"para": "root", "mensaje": "hola"})
    rig.store.answer()
    rig.turn()
    assert [json.loads(text[2:])[0] for text in root.received] == ["escribiendo", "mensaje_recibido"]
    assert heard(rig, root) == [[("ana", "root", False)]]
    ana.emit("mensaje_privado", {"para": "root", "mensaje": "hola"})
    assert heard(rig, root) == [[]]
    rig.pass_seconds(TIMEOUT_S + 0.1)
    assert heard(rig, root) == [[("ana", "eva", False)]]


def test_typing_ends_with_the_socket_that_sent_it_last() -> None:
    """C-53: other sockets of the user may go on typing."""
    rig = quiet()
    first, second, root = rig.enter(who("ana")), rig.enter(who("ana")), rig.enter(who("root", "admin"))
    says(first, "root")
    says(first, "eva")
    says(second, "eva")
    heard(rig, root)
    first.send("1")
    assert heard(rig, root) == [[("ana", "root", False)]]
    second.send("1")
    assert heard(rig, root) == [[("ana", "eva", False)]]
    assert rig.chat.writers.active == {}


def test_a_socket_that_did_not_type_sends_no_end() -> None:
    """C-53"""
    rig = quiet()
    ana, eva, root = rig.enter(who("ana")), rig.enter(who("eva")), rig.enter(who("root", "admin"))
    says(ana, "root")
    eva.send("1")
    assert heard(rig, root) == [[("ana", "root", True)]]


# Rate limit.


def test_typing_has_its_own_rate_limit() -> None:
    """C-54: over the limit an event without an acknowledgement is dropped; L-06"""
    rig = Rig(ChatConfig(presence="off", message_rate=1, message_burst=1))
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    for _ in range(TYPING_BURST):
        says(ana, "root")
    says(ana, "root")
    says(ana, "root", ack=1)
    ana.emit("mensaje_privado", {"para": "root", "mensaje": "hola"}, ack=2)
    rig.store.answer()
    rig.turn()
    assert len(heard(rig, root)[0]) == TYPING_BURST + 1  # the message ends the typing
    assert ana.answer(1)["error"]["code"] == "rate_limited"
    assert ana.answer(1)["error"]["retry_after_ms"] == 500
    assert ana.answer(2)["ok"] is True
    assert ana.events == []
    assert rig.limits.refusals.counts["typing_rate"] == 2  # type: ignore[index]  # a StrEnum is its value


def test_messages_do_not_count_for_the_rate_limit_of_typing() -> None:
    """C-54, L-06"""
    rig = Rig(ChatConfig(presence="off", message_rate=1, message_burst=1))
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    for _ in range(3):
        ana.emit("mensaje_privado", {"para": "root", "mensaje": "hola"})
    says(ana, "root")
    assert heard(rig, root) == [[("ana", "root", True)]]


def test_a_user_who_exceeds_the_limit_for_too_long_is_disconnected() -> None:
    """C-54, L-06"""
    rig = Rig(ChatConfig(presence="off"))
    ana = rig.enter(who("ana"))
    for _ in range(TYPING_BURST * (1 + PATIENCE_BURSTS)):
        says(ana, "root")
    assert ana.events == []
    says(ana, "root")
    assert ana.closed is CloseReason.RECONNECT
    assert [name for name, _ in ana.events] == ["desconexion"]


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (True, "arguments_invalid"),
        ({}, "para_invalid"),
        ({"para": "", "activo": True}, "para_invalid"),
        ({"para": "x" * 129, "activo": True}, "para_invalid"),
        ({"para": "\ud800", "activo": True}, "para_invalid"),
        ({"para": "root"}, "activo_invalid"),
        ({"para": "root", "activo": 1}, "activo_invalid"),
        ({"para": "root", "activo": None}, "activo_invalid"),
        ({"para": "root", "activo": "true"}, "activo_invalid"),
    ],
)
def test_a_mistake_is_refused_with_a_code(argument: object, code: str) -> None:
    """C-55, C-13"""
    rig = quiet()
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    ana.emit("escribiendo", argument, ack=0)
    ana.emit("escribiendo", argument)
    rig.turn()
    refused = ana.answer(0)["error"]
    assert refused["code"] == code
    assert ana.events == [["mensaje_error", refused]]
    assert heard(rig, root) == [[]]


def test_other_keys_are_ignored() -> None:
    """C-55"""
    rig = quiet()
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    ana.emit("escribiendo", {"para": "root", "activo": True, "de": "boss"}, "more")
    assert heard(rig, root) == [[("ana", "root", True)]]
