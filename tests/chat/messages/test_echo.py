"""The echo of a sent message to the sender's other sockets."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.chat.config import ChatConfig
from chatd.store.base import StoreCode, StoreError
from tests.chat.disk import Disk
from tests.chat.rig import NOW, Line, Rig, who

LOCKED = StoreError(StoreCode.UNAVAILABLE, "the database is locked: try again", retry=True)


def sent(rig: Rig, para: str, mensaje: str) -> list[Any]:
    """The echo of the last stored message."""
    fecha = int(NOW * 1000)
    return [
        "mensaje_enviado",
        {"id": str(rig.store.rows[-1].id), "para": para, "mensaje": mensaje, "fecha": fecha},
    ]


def write(line: Line, para: str, mensaje: str, **more: Any) -> None:
    line.emit("mensaje_privado", {"para": para, "mensaje": mensaje, **more})


def test_the_echo_goes_to_the_other_sockets_and_not_to_the_sender() -> None:
    """C-42"""
    rig = Rig(ChatConfig(echo="on"))
    tabs = [rig.enter(who("ana")) for _ in range(3)]
    eva, root = rig.enter(who("eva")), rig.enter(who("root", "admin"))
    write(tabs[1], "eva", "hola")
    rig.turn()
    assert [tab.events for tab in tabs] == [[sent(rig, "eva", "hola")], [], [sent(rig, "eva", "hola")]]
    assert eva.events == root.events == [["mensaje_recibido", {"de": "ana", "mensaje": "hola"}]]


def test_by_default_there_is_no_echo() -> None:
    """C-42"""
    rig = Rig()
    tab, other = rig.enter(who("ana")), rig.enter(who("ana"))
    write(tab, "eva", "hola")
    rig.turn()
    assert tab.events == other.events == []


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
def test_an_echo_is_sent_at_the_delivery_of_the_message(deliver: str) -> None:
    """C-42, C-16"""
    rig = Rig(ChatConfig(echo="on", deliver=deliver))
    tab, other, root = rig.enter(who("ana")), rig.enter(who("ana")), rig.enter(who("root", "admin"))
    write(tab, "root", "hola")
    rig.turn()
    assert len(other.events) == len(root.events) == (1 if deliver == "at_once" else 0)
    rig.store.answer()
    rig.turn()
    assert other.events == [sent(rig, "root", "hola")]
    assert len(root.events) == 1


def test_with_stored_a_message_that_is_not_stored_has_no_echo() -> None:
    """C-42, C-17"""
    rig = Rig(ChatConfig(echo="on", deliver="stored"))
    tab, other = rig.enter(who("ana")), rig.enter(who("ana"))
    write(tab, "root", "hola")
    rig.store.answer(LOCKED)
    rig.turn()
    assert other.events == []
    assert [name for name, _ in tab.events] == ["mensaje_error"]


def test_the_sender_may_disconnect_before_the_delivery() -> None:
    """C-42"""
    rig = Rig(ChatConfig(echo="on", deliver="stored"))
    tab, other = rig.enter(who("ana")), rig.enter(who("ana"))
    write(tab, "root", "hola")
    tab.send("1")
    rig.store.answer()
    rig.turn()
    assert other.events == [sent(rig, "root", "hola")]


def test_a_recipient_gets_the_message_and_no_echo() -> None:
    """C-43: a note to oneself; a socket that is an admin's; a message for all admins."""
    rig = Rig(ChatConfig(echo="on", admin_messages="all"))
    tab, other = rig.enter(who("ana")), rig.enter(who("ana"))
    write(tab, "ana", "milk")
    rig.turn()
    assert tab.events == other.events == [["mensaje_recibido", {"de": "ana", "mensaje": "milk"}]]

    as_admin = rig.enter(who("ana", "admin"))
    write(tab, "eva", "hola")
    rig.turn()
    assert as_admin.events == [["mensaje_recibido", {"de": "ana", "mensaje": "hola"}]]
    assert other.events[1:] == [sent(rig, "eva", "hola")]

    admin, admins_other, boss = (rig.enter(who(user, "admin")) for user in ("root", "root", "boss"))
    write(admin, "boss", "lunch?")
    rig.turn()
    received = ["mensaje_recibido", {"de": "root", "mensaje": "lunch?"}]
    assert admin.events == admins_other.events == boss.events == [received]


def test_an_echo_has_the_cid_and_comes_once() -> None:
    """C-42, C-22"""
    disk = Disk()
    rig = Rig(ChatConfig(echo="on"), disk)
    tab, other = rig.enter(who("ana")), rig.enter(who("ana"))
    for _ in range(2):
        write(tab, "root", "hola", cid="one")
    disk.read()
    rig.turn()
    [row] = disk.commit()
    fecha = int(NOW * 1000)
    echo = {"id": str(row.id), "para": "root", "mensaje": "hola", "fecha": fecha, "cid": "one"}
    assert other.events == [["mensaje_enviado", echo]]
