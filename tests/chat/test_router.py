"""The effect of each event, on a store that answers when the test says so."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.chat.config import ChatConfig
from chatd.chat.feature import Feature
from chatd.store.base import StoreCode, StoreError
from tests.chat.rig import NOW, Rig, who

MESSAGE = {"para": "root", "mensaje": "hola"}
RECEIVED = ["mensaje_recibido", {"de": "ana", "mensaje": "hola"}]
LOCKED = StoreError(StoreCode.UNAVAILABLE, "the database is locked: try again", retry=True)
BUSY = StoreError(StoreCode.BUSY, "too many messages are waiting to be stored: try again", retry=True)


def error(reason: StoreError) -> dict[str, Any]:
    return {"code": reason.code.value, "message": reason.message}


def test_a_message_is_delivered_at_once_and_acknowledged_when_it_is_stored() -> None:
    """C-15, C-16"""
    rig = Rig()
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    ana.emit("mensaje_privado", MESSAGE, ack=0)
    rig.turn()
    assert (root.events, ana.received[1:]) == ([RECEIVED], [])
    rig.store.answer()
    rig.turn()
    assert ana.answer(0) == {"ok": True, "id": str(rig.store.rows[0].id), "fecha": int(NOW * 1000)}
    assert root.events == [RECEIVED]


def test_a_message_may_be_delivered_when_it_is_stored() -> None:
    """C-16: and before the sender gets the acknowledgement."""
    rig = Rig(ChatConfig(deliver="stored"))
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    for line in (ana, root):
        line.emit("mensaje_privado", MESSAGE, ack=0)
    rig.turn()
    assert (root.events, len(root.received)) == ([], 1)
    rig.store.answer()
    rig.turn()
    assert [text[:4] for text in root.received[1:]] == ['42["', '42["', "430["]
    assert [event[1]["de"] for event in root.events] == ["ana", "root"]


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
def test_a_failed_commit_is_an_error_for_the_sender(deliver: str) -> None:
    """C-17"""
    rig = Rig(ChatConfig(deliver=deliver))
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    ana.emit("mensaje_privado", MESSAGE, ack=0)
    ana.emit("mensaje_privado", MESSAGE)
    rig.store.answer(LOCKED)
    rig.turn()
    assert ana.answer(0) == {"ok": False, "error": error(LOCKED)}
    assert ana.events == [["mensaje_error", error(LOCKED)]]
    assert root.events == ([RECEIVED] * 2 if deliver == "at_once" else [])


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
def test_a_message_that_the_store_refuses_is_not_delivered(deliver: str) -> None:
    """C-17"""
    rig = Rig(ChatConfig(deliver=deliver))
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    rig.store.full = BUSY
    ana.emit("mensaje_privado", MESSAGE, ack=0)
    ana.emit("mensaje_privado", MESSAGE)
    rig.turn()
    assert ana.answer(0) == {"ok": False, "error": error(BUSY)}
    assert ana.events == [["mensaje_error", error(BUSY)]]
    assert root.events == []


def test_the_message_of_a_disconnected_sender_is_delivered() -> None:
    """C-15, C-16"""
    rig = Rig(ChatConfig(deliver="stored"))
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    ana.emit("mensaje_privado", MESSAGE, ack=0)
    ana.send("1")
    rig.store.answer()
    rig.turn()
    assert ana.received[1:] == []
    assert root.events == [RECEIVED]


def test_a_socket_that_leaves_before_the_delivery_does_not_get_it() -> None:
    """C-05, C-16"""
    rig = Rig(ChatConfig(deliver="stored"))
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    ana.emit("mensaje_privado", MESSAGE)
    root.send("1")
    rig.store.answer()
    rig.turn()
    assert root.events == []


def test_a_row_has_sender_addressee_text_and_date() -> None:
    """C-03, C-19"""
    rig = Rig()
    rig.enter(who("ana")).emit("mensaje_privado", {**MESSAGE, "de": "root"})
    rig.enter(who("root", "admin")).emit("mensaje_privado", {"para": "ana", "mensaje": "buenas"})
    rows = [(row.de, row.para, row.mensaje, row.fecha, row.supervisado) for row in rig.store.rows]
    assert rows == [("ana", "root", "hola", int(NOW * 1000), True), ("root", "ana", "buenas", int(NOW * 1000), False)]
    assert rig.store.rows[0].id < rig.store.rows[1].id


def test_ids_grow_when_the_clock_steps_back() -> None:
    """C-18"""
    rig = Rig()
    ana = rig.enter(who("ana"))
    ana.emit("mensaje_privado", MESSAGE)
    rig.wall_s -= 3600
    ana.emit("mensaje_privado", MESSAGE)
    first, second = rig.store.rows
    assert first.id < second.id
    assert first.fecha - second.fecha == 3_600_000  # the date is that of the wall clock


@pytest.mark.parametrize("event", ["", "mensaje", "__proto__", "x" * 1_000_000, "\ud83d", 7, 1.5])
def test_an_unknown_event_is_refused_with_a_short_error(event: object) -> None:
    """C-14"""
    rig = Rig()
    ana = rig.enter(who("ana"))
    ana.emit(event, ack=0)
    ana.emit(event)
    rig.turn()
    refused = ana.answer(0)["error"]
    assert refused["code"] == "unknown_event"
    assert len(refused["message"]) < 200
    assert ana.events == []


def test_a_feature_has_its_live_settings() -> None:
    used: list[ChatConfig] = []
    router = Rig().chat.router
    router.add(Feature(events={}, use=used.append))
    config = ChatConfig(max_message_chars=3)
    router.use(config)
    assert used == [config]
