"""Resent messages, on a store that answers when the test says so; over real sockets in test_twice.py."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.chat.config import ChatConfig
from chatd.chat.messages import once
from chatd.store.base import MAX_CIDS, Message, MessageId, Question, StoreCode, StoreError
from tests.chat.disk import BROKEN, Disk
from tests.chat.rig import Line, Rig, who

AT_ONCE = ChatConfig(message_rate=0)
STORED = ChatConfig(message_rate=0, deliver="stored")


class Twice:
    """ana with two sockets, eva, and root who receives their messages."""

    def __init__(self, config: ChatConfig = AT_ONCE, *rows: Message) -> None:
        self.disk = Disk(rows)
        self.rig = Rig(config, self.disk)
        self.ana, self.tab = self.rig.enter(who("ana")), self.rig.enter(who("ana"))
        self.eva, self.root = self.rig.enter(who("eva")), self.rig.enter(who("root", "admin"))

    @property
    def seen(self) -> list[str]:
        """The messages that root has received."""
        self.rig.turn()
        return [event[1]["mensaje"] for event in self.root.events]

    def told(self, line: Line, ack: int) -> Any:
        """The acknowledgement of that message."""
        self.rig.turn()
        return line.answer(ack)

    def answers(self, line: Line) -> list[Any]:
        self.rig.turn()
        return [text for text in line.received if text.startswith("43")]


def send(line: Line, mensaje: str, cid: object = ..., ack: int | str = 0) -> None:
    line.emit("mensaje_privado", {"para": "root", "mensaje": mensaje, **({} if cid is ... else {"cid": cid})}, ack=ack)


def row(number: int, cid: str, de: str = "ana") -> Message:
    return Message(MessageId(number), de, "root", "long ago", 1_700_000_000_000, True, cid)


@pytest.mark.parametrize("config", [AT_ONCE, STORED], ids=["at_once", "stored"])
def test_a_repeat_of_a_waiting_message_gets_its_answer(config: ChatConfig) -> None:
    """C-22: during a read and during a write, from any socket of the user."""
    twice = Twice(config)
    send(twice.ana, "one", "c", ack=1)
    send(twice.tab, "one", "c", ack=2)
    twice.disk.read()
    send(twice.ana, "something else", "c", ack=3)
    send(twice.ana, "one", "c", ack="")
    assert twice.answers(twice.ana) == []
    twice.disk.commit()
    assert twice.seen == ["one"]
    told = twice.told(twice.ana, 1)
    assert told == {"ok": True, "id": str(twice.disk.rows[0].id), "fecha": twice.disk.rows[0].fecha}
    assert [twice.told(twice.ana, 3), twice.told(twice.tab, 2)] == [told, told]
    assert len(twice.disk.rows) == 1
    assert twice.rig.chat.messages._once._held.taken == 0


def test_a_later_repeat_is_answered_with_the_row() -> None:
    """C-22"""
    twice = Twice()
    send(twice.ana, "one", "c", ack=1)
    twice.disk.read()
    twice.disk.commit()
    send(twice.tab, "one", "c", ack=1)
    assert twice.answers(twice.tab) == []
    twice.disk.read()
    assert twice.answers(twice.tab) == twice.answers(twice.ana)
    assert (twice.seen, len(twice.disk.rows), twice.disk.idle) == (["one"], 1, True)


def test_a_repeat_after_a_restart_is_answered_with_the_row() -> None:
    """C-22"""
    twice = Twice(AT_ONCE, row(7, "c"))
    send(twice.ana, "one", "c", ack=1)
    twice.disk.read()
    assert twice.told(twice.ana, 1) == {"ok": True, "id": "7", "fecha": 1_700_000_000_000}
    assert (twice.seen, len(twice.disk.rows)) == ([], 1)


def test_a_cid_belongs_to_its_sender() -> None:
    """C-22"""
    twice = Twice(AT_ONCE, row(7, "c", de="eva"))
    send(twice.ana, "one", "c")
    twice.disk.read()
    twice.disk.commit()
    assert twice.seen == ["one"]
    assert len(twice.disk.rows) == 2


def test_without_a_cid_every_repeat_is_stored() -> None:
    """C-21"""
    twice = Twice()
    for _ in range(3):
        send(twice.ana, "one")
    twice.disk.commit()
    assert (twice.seen, len(twice.disk.rows), twice.disk.asked) == (["one"] * 3, 3, [])


def test_the_database_is_read_once_for_a_user() -> None:
    """C-23: new cids are known from then on, and a used cid is looked up."""
    twice = Twice()
    for number in range(3):
        send(twice.ana, f"first {number}", f"f{number}")
    twice.disk.read()
    for number in range(3):
        send(twice.tab, f"then {number}", f"t{number}")
    twice.disk.commit()
    send(twice.ana, "first 0", "f0")
    assert twice.disk.asked == [
        Question("ana", "f0", list_cids=True),
        Question("ana", "f1", list_cids=False),
        Question("ana", "f2", list_cids=False),
        Question("ana", "f0", list_cids=False),
    ]
    twice.disk.read()
    assert twice.seen == ["first 0", "first 1", "first 2", "then 0", "then 1", "then 2"]


def test_every_cid_of_a_user_with_too_many_is_looked_up() -> None:
    """C-22, C-23"""
    twice = Twice(AT_ONCE, *[row(number, f"old {number}") for number in range(1, MAX_CIDS + 2)])
    for number in range(3):
        send(twice.ana, f"new {number}", f"new {number}")
        twice.disk.read()
    send(twice.ana, "again", "old 1")
    twice.disk.read()
    assert twice.seen == ["new 0", "new 1", "new 2"]
    assert [question.list_cids for question in twice.disk.asked] == [True, False, False, False]


def test_messages_after_one_that_is_looked_up_keep_their_order() -> None:
    """C-23: with or without a cid, from any socket; other users do not wait."""
    twice = Twice()
    send(twice.ana, "one", "1")
    send(twice.ana, "two")
    send(twice.tab, "three")
    send(twice.tab, "four", "4")
    send(twice.eva, "hello")
    assert twice.seen == ["hello"]
    twice.disk.begin_reading()
    send(twice.ana, "five", "5")
    send(twice.ana, "six")
    twice.disk.end_reading()
    assert twice.seen == ["hello", "one", "two", "three", "four"]
    twice.disk.read()
    assert twice.seen == ["hello", "one", "two", "three", "four", "five", "six"]
    assert not twice.rig.chat.messages._once.has_line("ana")


def test_a_failed_message_can_be_resent_as_a_new_one() -> None:
    """C-24: all waiting senders get the error, and the next attempt is a new message, delivered again."""
    for config, seen in ((AT_ONCE, ["one", "one"]), (STORED, ["one"])):
        twice = Twice(config)
        send(twice.ana, "one", "c", ack=1)
        twice.disk.read()
        send(twice.tab, "one", "c", ack="")
        twice.disk.commit(BROKEN)
        error = {"code": "store_unavailable", "message": BROKEN.message}
        assert twice.told(twice.ana, 1) == {"ok": False, "error": error}
        assert twice.tab.events == [["mensaje_error", error]]
        send(twice.ana, "one", "c", ack=2)
        twice.disk.read()
        twice.disk.commit()
        assert twice.told(twice.ana, 2)["id"] == str(twice.disk.rows[0].id)
        assert twice.seen == seen


def test_a_row_stored_by_a_failed_commit_is_found() -> None:
    """C-22"""
    twice = Twice()
    send(twice.ana, "one", "c", ack=1)
    twice.disk.read()
    twice.disk.commit(BROKEN, kept=True)
    send(twice.ana, "one", "c", ack=2)
    twice.disk.read()
    assert twice.told(twice.ana, 2)["id"] == str(twice.disk.rows[0].id)
    assert (twice.seen, len(twice.disk.rows)) == (["one"], 1)


def test_a_message_that_cannot_be_looked_up_is_refused_and_not_delivered() -> None:
    """C-23: messages queued after it go on, and the next attempt reads again."""
    twice = Twice()
    send(twice.ana, "one", "c", ack=1)
    send(twice.ana, "two", ack=2)
    twice.disk.end_reading(BROKEN)
    assert twice.told(twice.ana, 1)["error"]["code"] == "store_unavailable"
    assert twice.seen == ["two"]
    send(twice.ana, "one", "c", ack=3)
    twice.disk.read()
    twice.disk.commit()
    assert twice.told(twice.ana, 3)["ok"] is True
    assert twice.seen == ["two", "one"]
    assert [question.list_cids for question in twice.disk.asked] == [True, True]


def test_a_message_that_the_store_refuses_can_be_resent() -> None:
    """C-17, C-24"""
    twice = Twice()
    twice.disk.full = StoreError(StoreCode.BUSY, "too many messages are waiting to be stored: try again", retry=True)
    send(twice.ana, "one", "c", ack=1)
    twice.disk.read()
    assert twice.told(twice.ana, 1)["error"]["code"] == "store_busy"
    twice.disk.full = None
    send(twice.ana, "one", "c", ack=2)
    twice.disk.read()
    twice.disk.commit()
    assert twice.seen == ["one"]


def test_messages_waiting_for_a_lookup_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """C-23: messages with a cid, messages queued after them, and repeats."""
    monkeypatch.setattr(once, "MAX_HELD_EACH", 3)
    twice = Twice()
    send(twice.ana, "one", "c", ack=1)
    send(twice.ana, "two", ack=2)
    send(twice.tab, "one", "c", ack=3)
    for ack, (text, cid) in enumerate([("three", "d"), ("four", ...), ("one", "c")], start=4):
        send(twice.ana, text, cid, ack=ack)
        assert twice.told(twice.ana, ack)["error"]["code"] == "store_busy"
    send(twice.eva, "hello", "e", ack=1)  # the bound is shared by all users
    twice.disk.read()
    twice.disk.commit()
    send(twice.ana, "three", "d", ack=7)
    twice.disk.commit()
    assert [twice.told(twice.ana, ack)["ok"] for ack in (1, 2, 7)] == [True] * 3
    assert twice.told(twice.eva, 1)["ok"]
    assert twice.seen == ["one", "two", "hello", "three"]
    assert (twice.rig.chat.messages._once._held.taken, twice.rig.chat.messages._once._held_bytes.taken) == (0, 0)


def test_the_bytes_of_waiting_messages_are_bounded_but_one_is_always_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """C-23"""
    monkeypatch.setattr(once, "MAX_HELD_BYTES", 1_000)
    twice = Twice()
    send(twice.ana, "x" * 5_000, "c", ack=1)
    send(twice.ana, "x" * 500, "d", ack=2)
    send(twice.eva, "y" * 500, "c", ack=1)
    send(twice.eva, "y" * 500, "d", ack=2)
    for person in (twice.ana, twice.eva):
        assert twice.told(person, 2)["error"]["code"] == "store_busy"
    twice.disk.read()
    assert twice.seen == ["x" * 5_000, "y" * 500]


def test_the_cids_of_the_longest_idle_users_are_evicted(monkeypatch: pytest.MonkeyPatch) -> None:
    """C-22: but no user with an unfinished message, whose cid no read could find."""
    monkeypatch.setattr(once, "MAX_REMEMBERED", 4)
    twice = Twice()
    send(twice.eva, "on its way", "e")
    twice.disk.read()
    for number in range(3):
        send(twice.ana, str(number), f"a{number}")
        twice.disk.read()
    send(twice.root, "root's", "r")
    twice.disk.read()
    assert twice.rig.chat.messages._once._senders.keys() == {"ana", "eva", "root"}  # all busy
    twice.disk.commit()
    for number in range(3, 6):
        send(twice.ana, str(number), f"a{number}")
        twice.disk.read()
        twice.disk.commit()
    assert list(twice.rig.chat.messages._once._senders) == ["ana"]
    assert twice.rig.chat.messages._once._weight == twice.rig.chat.messages._once._senders["ana"].weight
    send(twice.eva, "on its way", "e")
    twice.disk.read()
    assert twice.disk.asked[-1] == Question("eva", "e", list_cids=True)
    assert twice.seen.count("on its way") == 1


def test_the_message_of_a_disconnected_sender_is_delivered() -> None:
    """C-22, C-23"""
    twice = Twice()
    send(twice.ana, "one", "c", ack=1)
    send(twice.ana, "two", ack=2)
    twice.ana.send("1")
    twice.disk.read()
    twice.disk.commit()
    assert twice.seen == ["one", "two"]
    send(twice.tab, "one", "c", ack=1)
    twice.disk.read()
    assert twice.told(twice.tab, 1)["id"] == str(twice.disk.rows[0].id)


def test_the_total_of_cached_cids_is_the_sum_over_all_senders() -> None:
    """C-23: over reads, too many cids, and eviction."""
    twice = Twice(AT_ONCE, *[row(number, f"old {number}") for number in range(1, MAX_CIDS + 1)])
    remembered = twice.rig.chat.messages._once
    for number in range(2):
        send(twice.ana, "x", f"new {number}")
        send(twice.eva, "x", f"new {number}")
        twice.disk.read()
        twice.disk.commit()
        assert remembered._weight == sum(sender.weight for sender in remembered._senders.values())
    assert remembered._weight == 4
