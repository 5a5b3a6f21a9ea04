"""`leido`: permissions, recipients, timing; over real sockets at the end."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chatd.chat.config import ChatConfig
from chatd.chat.history import receipts
from chatd.store.base import StoreCode, StoreError
from tests.chat.people import chatting
from tests.chat.rig import Line, Rig, who

LOCKED = StoreError(StoreCode.UNAVAILABLE, "the database is locked: try again", retry=True)
BUSY = StoreError(StoreCode.BUSY, "too many marks are waiting to be stored: try again", retry=True)
OFF = ChatConfig(presence="off", message_rate=0)


def message_id(rig: Rig, line: Line, para: str) -> str:
    """Write a message from `line`; return its id."""
    line.emit("mensaje_privado", {"para": para, "mensaje": "hola"})
    rig.store.answer()
    rig.turn()
    return str(rig.store.rows[-1].id)


def read(line: Line, con: str, hasta: object, ack: int | str = "") -> None:
    line.emit("leido", {"con": con, "hasta": hasta}, ack=ack)


def heard(rig: Rig, *lines: Line) -> list[list[Any]]:
    """The read receipts that each line has received since the last call."""
    rig.turn()
    events = [[event for name, event in line.events if name == "leido"] for line in lines]
    for line in lines:
        line.received.clear()
    return events


def test_a_receipt_is_sent_to_the_author_and_the_readers_other_sockets() -> None:
    """C-50: no other user, and not the socket that sent it."""
    rig = Rig(OFF)
    root, boss, eva = rig.enter(who("root", "admin")), rig.enter(who("boss", "admin")), rig.enter(who("eva"))
    ana = [rig.enter(who("ana")) for _ in range(2)]
    hasta = message_id(rig, root, "ana")
    read(ana[0], "root", hasta)
    rig.store.answer()
    other_tab, other_side = [{"con": "root", "hasta": hasta}], [{"de": "ana", "hasta": hasta}]
    assert heard(rig, *ana, root, boss, eva) == [[], other_tab, other_side, [], []]


def test_an_admin_s_receipt_is_sent_to_the_user_and_to_no_other_admin() -> None:
    """C-50: each admin has marks of its own."""
    rig = Rig(OFF)
    tabs = [rig.enter(who("root", "admin")) for _ in range(2)]
    boss, ana, eva = rig.enter(who("boss", "admin")), rig.enter(who("ana")), rig.enter(who("eva"))
    hasta = message_id(rig, ana, "root")
    read(tabs[0], "ana", hasta)
    rig.store.answer()
    told = heard(rig, *tabs, boss, ana, eva)
    assert told == [[], [{"con": "ana", "hasta": hasta}], [], [{"de": "root", "hasta": hasta}], []]


def test_a_receipt_is_sent_and_acknowledged_when_it_is_stored() -> None:
    """C-49"""
    rig = Rig(OFF)
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    hasta = message_id(rig, root, "ana")
    read(ana, "root", hasta, ack=7)
    assert heard(rig, root) == [[]]
    assert not [text for text in ana.received if text.startswith("437")]
    assert rig.store.read == [("ana", "root", int(hasta))]
    rig.store.answer()
    assert heard(rig, root) == [[{"de": "ana", "hasta": hasta}]]
    assert ana.answer(7) == {"ok": True}


def test_a_mark_only_moves_forward_and_is_stored_once() -> None:
    """C-49, C-51"""
    rig = Rig(OFF)
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    first, second = message_id(rig, root, "ana"), message_id(rig, root, "ana")
    read(ana, "root", second, ack=1)
    read(ana, "root", first, ack=2)
    rig.store.answer()
    assert heard(rig, root) == [[{"de": "ana", "hasta": second}]]
    for ack, hasta in enumerate((first, second), 3):
        read(ana, "root", hasta, ack=ack)
    assert heard(rig, root) == [[]]
    assert [ana.answer(ack) for ack in (1, 2, 3, 4)] == [{"ok": True}] * 4
    assert len(rig.store.read) == 2


def test_each_conversation_has_its_own_mark() -> None:
    """C-49"""
    rig = Rig(OFF)
    ana, eva = rig.enter(who("ana")), rig.enter(who("eva"))
    root, boss = rig.enter(who("root", "admin")), rig.enter(who("boss", "admin"))
    hasta = message_id(rig, root, "ana")
    for reader, con in ((ana, "root"), (ana, "boss"), (eva, "root")):
        read(reader, con, hasta)
    rig.store.answer()
    assert heard(rig, root, boss) == [
        [{"de": "ana", "hasta": hasta}, {"de": "eva", "hasta": hasta}],
        [{"de": "ana", "hasta": hasta}],
    ]


def test_messages_to_oneself_can_be_marked_read() -> None:
    """C-50"""
    rig = Rig(OFF)
    tabs = [rig.enter(who("ana")) for _ in range(2)]
    hasta = message_id(rig, tabs[0], "ana")
    read(tabs[0], "ana", hasta)
    rig.store.answer()
    assert heard(rig, *tabs) == [[], [{"con": "ana", "hasta": hasta}]]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_mark_that_cannot_be_stored_is_refused_and_not_sent(at_once: bool) -> None:
    """C-49, C-17"""
    rig = Rig(OFF)
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    hasta = message_id(rig, root, "ana")
    rig.store.full = BUSY if at_once else None
    read(ana, "root", hasta, ack=7)
    read(ana, "root", hasta)
    rig.store.answer(LOCKED)
    error = BUSY if at_once else LOCKED
    rig.turn()
    assert ana.answer(7) == {"ok": False, "error": {"code": error.code.value, "message": error.message}}
    assert [name for name, *_ in ana.events] == ["mensaje_recibido", "mensaje_error"]
    assert heard(rig, root) == [[]]
    rig.store.full = None
    read(ana, "root", hasta)
    rig.store.answer()
    assert heard(rig, root) == [[{"de": "ana", "hasta": hasta}]]


def test_a_reader_may_disconnect_before_its_mark_is_stored() -> None:
    """C-49"""
    rig = Rig(OFF)
    ana, other, root = rig.enter(who("ana")), rig.enter(who("ana")), rig.enter(who("root", "admin"))
    hasta = message_id(rig, root, "ana")
    read(ana, "root", hasta, ack=7)
    ana.send("1")
    rig.store.answer()
    assert heard(rig, other, root) == [[{"con": "root", "hasta": hasta}], [{"de": "ana", "hasta": hasta}]]


def test_the_cache_of_marks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """C-51: a forgotten mark may be announced again, without effect."""
    monkeypatch.setattr(receipts, "MAX_REMEMBERED", 2)
    rig = Rig(OFF)
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    hasta = message_id(rig, root, "ana")
    for con in ("root", "boss", "aide", "aide", "root"):
        read(ana, con, hasta)
        rig.store.answer()
    assert [con for _, con, _ in rig.store.read] == ["root", "boss", "aide", "root"]
    assert len(rig.chat.receipts._told) == 2
    assert heard(rig, root) == [[{"de": "ana", "hasta": hasta}] * 2]


MISTAKES: Sequence[tuple[object, str]] = [
    ("root", "arguments_invalid"),
    ({}, "con_invalid"),
    ({"con": ""}, "con_invalid"),
    ({"con": 7}, "con_invalid"),
    ({"con": "x" * 129}, "con_invalid"),
    ({"con": "\ud800"}, "con_invalid"),
    ({"con": "root"}, "hasta_invalid"),
    ({"con": "root", "hasta": 7}, "hasta_invalid"),
    ({"con": "root", "hasta": ""}, "hasta_invalid"),
    ({"con": "root", "hasta": "0"}, "hasta_invalid"),
    ({"con": "root", "hasta": "-1"}, "hasta_invalid"),
    ({"con": "root", "hasta": " 1"}, "hasta_invalid"),
    ({"con": "root", "hasta": "1.0"}, "hasta_invalid"),
    ({"con": "root", "hasta": "1_0"}, "hasta_invalid"),
    ({"con": "root", "hasta": "٣"}, "hasta_invalid"),
    ({"con": "root", "hasta": "9" * 19}, "hasta_invalid"),
    ({"con": "root", "hasta": "1" * 5_000}, "hasta_invalid"),
]


@pytest.mark.parametrize(("argument", "code"), MISTAKES)
def test_a_mistake_is_refused_with_a_code(argument: object, code: str) -> None:
    """C-49, C-13"""
    rig = Rig(OFF)
    ana = rig.enter(who("ana"))
    ana.emit("leido", argument, ack=0)
    ana.emit("leido", argument)
    rig.turn()
    refused = ana.answer(0)["error"]
    assert refused["code"] == code
    assert ana.events == [["mensaje_error", refused]]
    assert rig.store.read == []


def test_a_mark_in_the_future_is_refused() -> None:
    """C-49: otherwise a mark in the future would cover messages that are not yet written."""
    rig = Rig(OFF)
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    newest = int(message_id(rig, root, "ana"))
    read(ana, "root", str(newest + 1), ack=0)
    read(ana, "root", str(newest), ack=1)
    rig.store.answer()
    rig.turn()
    assert ana.answer(0)["error"]["code"] == "hasta_invalid"
    assert ana.answer(1) == {"ok": True}


def marks(db: Path) -> list[tuple[str, str, int]]:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        return list(connection.execute("SELECT lector, con, hasta FROM leidos ORDER BY lector, con"))


async def test_an_acknowledged_mark_is_stored_and_never_moves_back(db: Path) -> None:
    """C-49: also across a restart."""
    ids: list[str] = []
    async with chatting(db) as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        ids += [(await root.write("ana", "hola"))["id"] for _ in range(2)]
        assert await ana.ask("leido", {"con": "root", "hasta": ids[1], "more": True}, "and more") == {"ok": True}
        assert marks(db) == [("ana", "root", int(ids[1]))]
        assert await root.inbox() == [["leido", {"de": "ana", "hasta": ids[1]}]]
    async with chatting(db) as chat:
        ana = await chat.enter("ana")
        assert await ana.ask("leido", {"con": "root", "hasta": ids[0]}) == {"ok": True}
    assert marks(db) == [("ana", "root", int(ids[1]))]
