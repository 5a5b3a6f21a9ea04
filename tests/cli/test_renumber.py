"""`chatd renumber`: for a database whose ids are exhausted, or far ahead of the clock."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from chatd.chat.messages.ids import MAX_MS, first_id_of, parts
from chatd.cli import EXIT_CONFIG
from chatd.store.base import Message, MessageId
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint
from tests.cli.stored import DAY_MS, message, rows, store

LARGEST = MessageId(2**63 - 1)
NEAR_THE_END = MessageId(MAX_MS - 1 << 22)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "chatd.db"


def mark(db: Path, upto: dict[str, int]) -> None:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.executemany("INSERT INTO leidos (lector, con, hasta) VALUES (?, 'root', ?)", upto.items())
        connection.commit()


def marks(db: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        return dict(connection.execute("SELECT lector, hasta FROM leidos"))


async def test_a_daemon_with_exhausted_ids_serves_until_messages_are_renumbered(db: Path) -> None:
    """C-58, C-62"""
    async with daemon(db):
        pass
    with contextlib.closing(sqlite3.connect(db, isolation_level=None)) as connection:
        insert = "INSERT INTO mensajes VALUES (?, 'eva', 'root', 'the last one', 1767225600000, 1, NULL)"
        connection.execute(insert, (NEAR_THE_END,))
    async with daemon(db, "--message-burst", "100000") as running:
        ana = await running.enter("ana")
        sent = [await ana.begin("mensaje_privado", {"para": "root", "mensaje": str(number)}) for number in range(4_096)]
        assert all([(await ana.answer(one))["ok"] for one in sent])
        refused = await ana.write("root", "one more")
        assert refused["error"]["code"] == "store_exhausted"
        refused = await ana.ask("mensaje_privado", {"para": "root", "mensaje": "with a cid", "cid": "c"})
        assert refused["error"]["code"] == "store_exhausted"
        page = await ana.ask("historial", {"con": "root", "limite": 1})
        assert page["mensajes"][0]["mensaje"] == "4095"
        running.terminate()
        assert await running.ended() == 0
        told = [line["message"] for line in running.faults]
        assert told == ["the ids of messages are coming to an end: run chatd check"]
    async with daemon(db) as running:
        refused = await (await running.enter("ana")).write("root", "after a restart")
        assert refused["error"]["code"] == "store_exhausted"
        assert "in use by another chatd" in complaint(chatd("renumber", "--db", db), EXIT_CONFIG)
    checked = chatd("check", "--db", db, "--port", "0", CHATD_JWT_SECRET="x7" + "a secret of forty bytes for tests")
    assert checked.returncode == EXIT_CONFIG
    assert "run chatd renumber" in checked.stdout
    assert chatd("renumber", "--db", db).stdout == "4097 messages have new ids\n"
    async with daemon(db) as running:
        ana = await running.enter("ana")
        stored = await ana.write("root", "again")
        assert stored["ok"]
        assert abs(parts(MessageId(int(stored["id"]))).ms - time.time() * 1000) < DAY_MS
        assert [row[3] for row in rows(db)] == ["the last one", *map(str, range(4_096)), "again"]


def test_messages_get_ids_of_their_date_in_order_and_marks_follow(db: Path) -> None:
    """C-18"""
    ahead = first_id_of(int(time.time() * 1000) + 400 * DAY_MS)

    def written_ahead(number: int) -> Message:
        return message(number, id=MessageId(ahead + number))

    store(db, [message(0), message(1), *(written_ahead(number) for number in (2, 3, 4, 5))])
    mark(db, {"at": ahead + 3, "between": ahead, "beyond": LARGEST, "before": message(1).id})
    assert chatd("renumber", "--db", db).stdout == "4 messages have new ids\n"
    found = rows(db)
    assert [row[3] for row in found] == [f"día {number}" for number in range(6)]
    ids = [MessageId(int(str(row[0]))) for row in found]
    assert [parts(number).ms for number in ids[2:]] == [message(number).fecha for number in (2, 3, 4, 5)]
    assert marks(db) == {"at": ids[3], "between": ids[1], "beyond": ids[5], "before": ids[1]}
    assert chatd("renumber", "--db", db).stdout == "0 messages have new ids\n"
    assert rows(db) == found


def test_messages_marked_unread_stay_unread(db: Path) -> None:
    """C-86"""
    ahead = first_id_of(int(time.time() * 1000) + 400 * DAY_MS)
    store(db, [message(0), *(message(number, id=MessageId(ahead + number)) for number in (1, 2, 3))])
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute("INSERT INTO leidos VALUES ('root', 'ana', ?, ?)", (ahead + 3, ahead + 2 - 1))
        connection.commit()
    chatd("renumber", "--db", db)
    with contextlib.closing(sqlite3.connect(db)) as connection:
        [(upto, back)] = connection.execute("SELECT hasta, vuelta FROM leidos")
    ids = [row[0] for row in rows(db)]
    assert (upto, back) == (ids[3], ids[1])


def test_a_message_with_an_older_date_keeps_its_place(db: Path) -> None:
    """C-18"""
    ahead = first_id_of(int(time.time() * 1000) + 2 * DAY_MS)
    store(db, [message(5), message(1, id=MessageId(ahead)), message(2, id=LARGEST)])
    chatd("renumber", "--db", db)
    assert [row[3] for row in rows(db)] == ["día 5", "día 1", "día 2"]
    assert int(str(rows(db)[-1][0])) < ahead
