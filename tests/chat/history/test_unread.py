"""`no_leido` and `leido_todo`: permissions, recipients, timing; over real sockets at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatd.chat.config import ChatConfig
from chatd.store.base import StoreCode, StoreError
from tests.chat.history.test_receipts import heard as heard_of_reading
from tests.chat.history.test_receipts import message_id, read
from tests.chat.people import chatting
from tests.chat.rig import Line, Rig, who

LOCKED = StoreError(StoreCode.UNAVAILABLE, "the database is locked: try again", retry=True)
OFF = ChatConfig(presence="off", message_rate=0)


def heard(rig: Rig, *lines: Line) -> list[list[Any]]:
    """The events except messages that each line has received since the last call."""
    rig.turn()
    events = [[event for event in line.events if event[0] != "mensaje_recibido"] for line in lines]
    for line in lines:
        line.received.clear()
    return events


@pytest.mark.parametrize("event", ["no_leido", "leido_todo"])
def test_only_the_readers_other_sockets_are_told_when_it_is_stored(event: str) -> None:
    """C-86, C-87"""
    rig = Rig(OFF)
    root, boss = rig.enter(who("root", "admin")), rig.enter(who("boss", "admin"))
    ana = [rig.enter(who("ana")) for _ in range(2)]
    number = message_id(rig, root, "ana")
    mark = {"con": "root", "desde": number} if event == "no_leido" else {"hasta": number}
    ana[0].emit(event, mark, ack=7)
    assert heard(rig, *ana, root, boss) == [[], [], [], []]
    rig.store.answer()
    rig.turn()
    assert ana[0].answer(7) == {"ok": True}
    assert heard(rig, *ana, root, boss) == [[], [[event, mark]], [], []]


def test_a_mark_is_stored_again_after_it_was_moved_back() -> None:
    """C-86: also if the mark waits for the disk while the reader moves it back."""
    rig = Rig(OFF)
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    number = message_id(rig, root, "ana")
    for _ in range(2):
        read(ana, "root", number)
        ana.emit("no_leido", {"con": "root", "desde": number})
        rig.store.answer()
    read(ana, "root", number)
    assert [lector for lector, *_ in rig.store.read] == ["ana", "ana goes back"] * 2 + ["ana"]
    rig.store.answer()
    assert heard_of_reading(rig, root) == [[{"de": "ana", "hasta": number}] * 3]


@pytest.mark.parametrize("event", ["no_leido", "leido_todo"])
def test_a_mark_that_cannot_be_stored_is_refused_and_not_sent(event: str) -> None:
    """C-86, C-87, C-17"""
    rig = Rig(OFF)
    ana, tab, root = rig.enter(who("ana")), rig.enter(who("ana")), rig.enter(who("root", "admin"))
    number = message_id(rig, root, "ana")
    for rig.store.full in (LOCKED, None):
        ana.emit(event, {"con": "root", "desde": number, "hasta": number})
    rig.store.answer(LOCKED)
    refused = ["mensaje_error", {"code": "store_unavailable", "message": LOCKED.message}]
    assert heard(rig, ana, tab) == [[refused] * 2, []]


@pytest.mark.parametrize(
    ("event", "argument", "code"),
    [
        ("no_leido", "root", "arguments_invalid"),
        ("no_leido", {"desde": "1"}, "con_invalid"),
        ("no_leido", {"con": "", "desde": "1"}, "con_invalid"),
        ("no_leido", {"con": "root"}, "desde_invalid"),
        ("no_leido", {"con": "root", "desde": 7}, "desde_invalid"),
        ("no_leido", {"con": "root", "desde": "0"}, "desde_invalid"),
        ("no_leido", {"con": "root", "desde": "9" * 19}, "desde_invalid"),
        ("leido_todo", [], "arguments_invalid"),
        ("leido_todo", {}, "hasta_invalid"),
        ("leido_todo", {"hasta": "-1"}, "hasta_invalid"),
        ("leido_todo", {"hasta": "9" * 19}, "hasta_invalid"),
    ],
)
def test_a_mistake_is_refused_with_a_code(event: str, argument: object, code: str) -> None:
    """C-86, C-87, C-13"""
    rig = Rig(OFF)
    ana = rig.enter(who("ana"))
    ana.emit(event, argument, ack=0)
    rig.turn()
    assert ana.answer(0)["error"]["code"] == code
    assert rig.store.read == []


async def test_a_conversation_is_unread_again_across_a_restart_until_it_is_read(db: Path) -> None:
    """C-86, C-87"""
    async with chatting(db) as chat:
        ana, root, boss = await chat.enter("ana"), await chat.enter("root", "admin"), await chat.enter("boss", "admin")
        first, last = [(await ana.write("root", "hola"))["id"] for _ in range(2)]
        for admin in (root, boss):
            assert (await admin.ask("leido", {"con": "ana", "hasta": last}))["ok"]
        assert await root.ask("no_leido", {"con": "ana", "desde": last}) == {"ok": True}
        assert (await root.ask("no_leidos"))["no_leidos"] == {"ana": 1}
        assert (await boss.ask("no_leidos"))["no_leidos"] == {}
        standing = await root.ask("conversacion", {"con": "ana"})
        assert int(first) <= int(standing["leido"]) < int(last)
        assert (await ana.ask("conversacion", {"con": "root"}))["leido_por"] == last
    async with chatting(db) as chat:
        root = await chat.enter("root", "admin")
        assert (await root.ask("conversaciones"))["conversaciones"][0]["no_leidos"] == 1
        assert await root.ask("leido_todo", {"hasta": last}) == {"ok": True}
        assert (await root.ask("no_leidos"))["no_leidos"] == {}
