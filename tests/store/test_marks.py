"""Read marks move forward only, survive a restart, and a burst of them is one statement."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatd.store import marks
from chatd.store.base import Message, MessageId, Store, StoreCode, StoreError
from chatd.store.history import Viewer
from chatd.store.marks import MAX_MARKS, MAX_MARKS_EACH, SEEN, Furthest, MarkQueue, Table
from tests.store.rig import Base, ask, locked, opened, store_on

FOR_EVER_S = 3_600.0


async def test_read_marks_never_move_back(base: Base) -> None:
    heard = list[StoreError | None]()
    async with store_on(base) as store:
        for burst in ([5, 9, 7], [8], [2**63 - 1, 3]):
            for hasta in burst:
                store.mark_read("root", "ana", MessageId(hasta), heard.append)
            store.mark_read("root", "eva", MessageId(burst[0]), heard.append)
            store.mark_read("ana", "root", MessageId(burst[-1]), heard.append)
            assert len(heard) < 9 + 3
            await store.flushed()
    assert heard == [None] * 12
    assert ask(base, "SELECT lector, con, hasta FROM leidos ORDER BY lector, con") == [
        ("ana", "root", 8),
        ("root", "ana", 2**63 - 1),
        ("root", "eva", 2**63 - 1),
    ]


def put(number: int, de: str, para: str, *, supervised: bool) -> Message:
    return Message(MessageId(number), de, para, "hola", 1_700_000_000_000, supervisado=supervised)


@contextlib.asynccontextmanager
async def desk_on(base: Base) -> AsyncIterator[Desk]:
    """Ana wrote 1 to 5 and eva 6 to the desk; root answered ana with 4, in a private message."""
    async with store_on(base) as store:
        for number in (1, 2, 3, 5):
            store.put(put(number, "ana", "root", supervised=True), lambda error: None)
        store.put(put(4, "root", "ana", supervised=False), lambda error: None)
        store.put(put(6, "eva", "root", supervised=True), lambda error: None)
        await store.flushed()
        yield Desk(store)


class Desk:
    """Applies read marks in order, and counts unread messages."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.answers: list[StoreError | None] = []

    def read(self, lector: str, con: str, hasta: int) -> None:
        self._store.mark_read(lector, con, MessageId(hasta), self.answers.append)

    def unread(self, lector: str, con: str, desde: int) -> None:
        self._store.mark_unread(lector, con, MessageId(desde), self.answers.append)

    def all_read(self, lector: str, hasta: int) -> None:
        self._store.mark_all_read(lector, MessageId(hasta), self.answers.append)

    async def counts(self, lector: str, *users: str, is_admin: bool = True) -> list[int]:
        await self._store.flushed()
        assert self.answers == [None] * len(self.answers)
        viewer = Viewer(lector, is_admin)
        return [await self._store.library.unread_with(viewer, user) for user in users]


async def test_marking_as_unread_moves_back_the_mark_of_that_reader_only(base: Base) -> None:
    """C-86"""
    async with desk_on(base) as desk:
        for reader in ("root", "boss"):
            desk.read(reader, "ana", 5)
        assert await desk.counts("root", "ana", "eva") == [0, 1]
        desk.unread("root", "ana", 3)
        assert await desk.counts("root", "ana", "eva") == [2, 1]
        assert await desk.counts("boss", "ana") == [0]
        desk.unread("root", "ana", 5)
        assert await desk.counts("root", "ana") == [2]
        desk.read("root", "ana", 2)  # an older id: no effect
        assert await desk.counts("root", "ana") == [2]
        desk.read("root", "ana", 5)
        assert await desk.counts("root", "ana") == [0]


async def test_marking_as_unread_without_a_mark_does_not_lower_the_count(base: Base) -> None:
    """C-86"""
    async with desk_on(base) as desk:
        desk.unread("root", "ana", 5)
        assert await desk.counts("root", "ana") == [4]
        desk.read("root", "ana", 2)
        assert await desk.counts("root", "ana") == [2]


async def test_the_marks_of_one_reader_apply_in_order(base: Base) -> None:
    """C-86, C-87"""
    async with desk_on(base) as desk:
        for _ in range(3):
            desk.read("root", "ana", 5)
            desk.unread("root", "ana", 2)
        assert await desk.counts("root", "ana") == [3]
        desk.unread("root", "ana", 1)
        desk.read("root", "ana", 5)
        desk.all_read("root", 6)
        desk.unread("root", "eva", 6)
        assert await desk.counts("root", "ana", "eva") == [0, 1]


async def test_read_all_applies_to_every_conversation_of_one_reader(base: Base) -> None:
    """C-87"""
    async with desk_on(base) as desk:
        desk.read("root", "ana", 1)
        desk.unread("root", "ana", 1)
        desk.all_read("root", 5)
        assert await desk.counts("root", "ana", "eva") == [0, 1]
        assert await desk.counts("boss", "ana", "eva") == [4, 1]
        desk.all_read("root", 3)
        assert await desk.counts("root", "ana", "eva") == [0, 1]
        assert await desk.counts("ana", "root", is_admin=False) == [1]
        desk.all_read("ana", 6)
        assert await desk.counts("ana", "root", is_admin=False) == [0]
        desk.unread("ana", "root", 4)
        assert await desk.counts("ana", "root", is_admin=False) == [1]
        assert await desk.counts("root", "ana") == [0]


async def test_the_authors_view_is_not_moved_back(base: Base) -> None:
    """C-86, C-87"""
    async with store_on(base) as store:
        ignore = list[object]().append
        store.mark_unread("boss", "ana", MessageId(3), ignore)
        store.mark_all_read("aide", MessageId(6), ignore)
        store.mark_read("root", "ana", MessageId(5), ignore)
        store.mark_unread("root", "ana", MessageId(3), ignore)
        await store.flushed()
        assert (await store.library.standing("root", "ana")).read == 2
        assert (await store.library.standing("aide", "ana")).read == 6
        assert [(await store.library.standing("ana", one)).read_by for one in ("root", "boss", "aide")] == [
            5,
            None,
            None,
        ]


async def test_last_seen_is_the_latest_time(base: Base) -> None:
    async with store_on(base) as store:
        for instants in ((5, 9, 7), (8,)):
            for fecha in instants:
                store.saw("ana", fecha)
            store.saw("a\0b", instants[0])
            await store.flushed()
    assert ask(base, "SELECT * FROM vistos ORDER BY vistos.user") == [("a\0b", 8), ("ana", 9)]


@pytest.mark.parametrize("count", [1, 2, 3, 1_000, 3_000])
async def test_a_burst_of_any_length_is_stored_whole(base: Base, count: int) -> None:
    async with store_on(base) as store:
        for number in range(count):
            store.saw(f"u{number:04}", number)
    stored = ask(base, "SELECT * FROM vistos ORDER BY vistos.user")
    assert stored == [(f"u{number:04}", number) for number in range(count)]


@pytest.mark.parametrize("conversations", [1, MAX_MARKS_EACH])
async def test_a_flood_of_marks_is_refused_for_that_reader_only(base: Base, conversations: int) -> None:
    """C-49"""
    heard = list[StoreError | None]()
    async with store_on(base) as store:
        for number in range(MAX_MARKS_EACH):
            store.mark_read("root", f"u{number % conversations}", MessageId(number), heard.append)
        with pytest.raises(StoreError, match="too many read marks") as refused:
            store.mark_read("root", "u0", MessageId(2**62), heard.append)
        assert refused.value.code is StoreCode.BUSY
        store.mark_read("boss", "ana", MessageId(5), heard.append)
        assert store.waiting == conversations + 1
        await store.flushed()
        assert heard == [None] * (MAX_MARKS_EACH + 1)
        store.mark_read("root", "u0", MessageId(2**62), heard.append)
    assert heard == [None] * (MAX_MARKS_EACH + 2)
    assert ask(base, "SELECT hasta FROM leidos WHERE lector = 'boss'") == [(5,)]
    assert ask(base, "SELECT hasta FROM leidos WHERE con = 'u0' AND lector = 'root'") == [(2**62,)]


async def test_a_user_who_reconnects_often_takes_one_place_in_the_queue(base: Base) -> None:
    """C-46: no user's last-seen time is lost."""
    async with store_on(base) as store:
        for number in range(3 * MAX_MARKS):
            store.saw("mallory", number)
            if number % MAX_MARKS == 0:
                store.saw(f"u{number}", number)
        assert store.waiting == 4
        await store.flushed()
    assert ask(base, "SELECT * FROM vistos ORDER BY fecha") == [
        ("u0", 0),
        (f"u{MAX_MARKS}", MAX_MARKS),
        (f"u{2 * MAX_MARKS}", 2 * MAX_MARKS),
        ("mallory", 3 * MAX_MARKS - 1),
    ]


async def test_a_mark_set_during_a_commit_is_durable_before_its_answer(base: Base) -> None:
    """C-49"""
    told = list[tuple[int, object]]()
    async with store_on(base) as store:

        def mark(hasta: int) -> None:
            store.mark_read("root", "ana", MessageId(hasta), lambda error: told.append((hasta, stored())))

        def stored() -> object:
            return ask(base, "SELECT hasta FROM leidos")[0][0]

        mark(1)
        for _ in range(5):  # turns of the loop in which the writer takes its batch
            await asyncio.sleep(0)
        mark(3)
        assert store.waiting == 2
        mark(2)
        assert store.waiting == 2
        await store.flushed()
    assert [hasta for hasta, _ in told] == [1, 3, 2]
    assert [kept for _, kept in told[1:]] == [3, 3]


async def test_a_mark_is_answered_if_the_database_is_locked(base: Base) -> None:
    heard = list[StoreError | None]()
    async with store_on(base, busy_timeout_s=0.0) as store:
        with locked(base):
            store.mark_read("root", "ana", MessageId(1), heard.append)
            await store.flushed()
    assert [error and error.code for error in heard] == [StoreCode.UNAVAILABLE]


async def test_the_recovery_key_is_made_once_for_each_database(base: Base) -> None:
    keys = []
    other = base.with_name("other.db") if isinstance(base, Path) else base.other()
    for each in (base, base, other):
        async with store_on(each) as store:
            keys.append(store.recovery_key)
    assert keys[0] == keys[1] != keys[2]
    assert [len(key) for key in keys] == [32, 32, 32]


async def test_history_reads_committed_rows_and_reports_faults(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with opened(db) as store:
        store.saw("ana", 7)
        await store.flushed()
        assert await store.history.rows("SELECT fecha FROM vistos WHERE user = ?", ["ana"]) == [(7,)]
        with pytest.raises(StoreError, match="cannot be read"):
            await store.history.rows("INSERT INTO vistos VALUES ('eva', 1)")


async def test_marks_without_a_waiting_sender_share_a_later_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """C-45"""
    monkeypatch.setattr(marks, "NOTE_DELAY_S", FOR_EVER_S)
    written: list[Furthest] = []

    async def write(_table: Table, furthest: Furthest) -> None:
        written.append(furthest)

    queue = MarkQueue("seen marks", SEEN, write)
    queue.start()
    for number in range(5):
        queue.note(("ana",), number)
        queue.note(("eva",), number)
        await asyncio.sleep(0)
    assert not written
    stored = asyncio.get_running_loop().create_future()
    queue.put(("eva",), 9, stored.set_result)
    assert await stored is None
    assert written == [{("ana",): 4, ("eva",): 9}]
    queue.note(("ana",), 10)
    await queue.close()
    assert written[1:] == [{("ana",): 10}]
