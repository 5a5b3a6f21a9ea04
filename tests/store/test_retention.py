from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.chat.messages.ids import EPOCH_MS, first_id_of
from chatd.store.base import Message, MessageId, Store, StoreCounters, StoreError
from chatd.store.pruning import ROWS_PER_STEP
from chatd.store.retention import Retention
from chatd.store.schema import MIGRATIONS, migrate
from chatd.store.vouched import DAY_MS, TRUST, VouchedTime
from tests.chat.daemon import daemon
from tests.cli.stored import START_MS, conversations, list_conversations, message, rows, store
from tests.durability.senders import Book, Sender
from tests.store.rig import Base, PostgresBase, ask, change, locked, store_on

TENTH_DAY_MS = START_MS + 10 * DAY_MS


class Watched:
    """A store that counts its calls, and reports when nothing more is to be deleted."""

    def __init__(self, opened: Store) -> None:
        self._store = opened
        self.steps = 0
        self._ended = asyncio.Event()

    @property
    def counters(self) -> StoreCounters:
        return self._store.counters

    def waits(self) -> bool:
        return self.counters.retention_waits

    def sweep_turn(self) -> contextlib.AbstractAsyncContextManager[bool]:
        """A single daemon always has the turn."""
        return self._store.sweep_turn()

    async def prune(self, above: MessageId, bound: MessageId, before_ms: int) -> tuple[MessageId, int] | None:
        self.steps += 1
        return await self._store.prune(above, bound, before_ms)

    async def prune_astray(self, before_ms: int) -> int:
        self.steps += 1
        deleted = await self._store.prune_astray(before_ms)
        if not deleted:
            self._ended.set()
        return deleted

    async def run(self, sql: str, values: Sequence[int] = ()) -> list[Any]:
        """Statements about the clock; an error ends the look."""
        try:
            return await self._store.run(sql, values)
        except StoreError:
            self._ended.set()
            raise

    def sum_up(self, done: Callable[[], None]) -> None:
        """Update the list of conversations."""
        self._store.sum_up(lambda _: done())

    async def sweep(self) -> None:
        """Run a sweep and wait for its end."""
        async with asyncio.timeout(20):
            await self._ended.wait()
        self._ended.clear()


class Times:
    """A wall clock, which can be set, and a monotonic one."""

    def __init__(self, wall_ms: int = TENTH_DAY_MS) -> None:
        self.wall_ms = wall_ms
        self.uptime_s = 1_000.0

    def wall(self) -> int:
        return self.wall_ms

    def uptime(self) -> float:
        return self.uptime_s

    def pass_days(self, days: float) -> None:
        self.wall_ms += round(days * DAY_MS)
        self.uptime_s += days * DAY_MS / 1000


@contextlib.asynccontextmanager
async def made(db: Base, days: float, times: Times | None = None) -> AsyncIterator[tuple[Retention, Watched]]:
    """A retention that is not started: the test calls `look`."""
    times = times or Times()
    async with store_on(db, busy_timeout_s=0.05) as running:
        watched = Watched(running)
        vouched = VouchedTime(watched.run, times.wall, times.uptime)
        yield Retention(watched, vouched, times.wall, first_id_of, days), watched


@contextlib.asynccontextmanager
async def retaining(db: Base, days: float) -> AsyncIterator[tuple[Retention, Watched]]:
    """A retention whose clocks show the tenth day."""
    async with made(db, days) as (retention, watched):
        retention.start()
        try:
            yield retention, watched
        finally:
            await retention.close()


@pytest.fixture
def db(base: Base) -> Base:
    return base


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chatd.db"


async def fill(db: Base, messages: Iterable[Message]) -> None:
    await asyncio.to_thread(store, db, messages)


def days(db: Base) -> list[int]:
    return [(int(str(row[4])) - START_MS) // DAY_MS for row in rows(db)]


async def test_messages_older_than_the_retention_are_deleted_at_the_start(db: Base) -> None:
    await fill(db, map(message, range(10)))
    async with retaining(db, 3.0) as (_, watched):
        await watched.sweep()
    assert days(db) == [7, 8, 9]


async def test_a_changed_retention_applies_at_once_and_none_keeps_forever(db: Base) -> None:
    """C-27"""
    await fill(db, map(message, range(10)))
    async with retaining(db, 0.0) as (retention, watched):
        retention.use(5.0)
        await watched.sweep()
        assert days(db) == [5, 6, 7, 8, 9]
        retention.use(5.0)
        retention.use(0.0)
        retention.use(2.0)
        await watched.sweep()
        assert days(db) == [8, 9]


async def test_deletion_runs_in_small_steps_and_keeps_the_newest(db: Base) -> None:
    """C-18"""
    await fill(db, [message(0, id=message(0).id + number, cid=None) for number in range(3 * ROWS_PER_STEP)])
    async with retaining(db, 1.0) as (_, watched):
        await watched.sweep()
        assert watched.steps == 3 + 1 + 1, "what is old, that there is no more, that none is astray"
    assert days(db) == [0]


async def test_a_conversation_without_messages_is_removed_from_the_lists(db: Base) -> None:
    await fill(db, [message(0, de="eva"), message(1), message(9)])
    list_conversations(db, {"eva": message(0).id, "ana": message(9).id})
    async with retaining(db, 5.0) as (_, watched):
        await watched.sweep()
    assert conversations(db) == ["ana"]


async def test_an_error_of_the_database_is_logged_and_retention_goes_on(
    db: Base, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(db, map(message, range(10)))
    async with retaining(db, 0.0) as (retention, watched):
        with locked(db):
            retention.use(3.0)
            await watched.sweep()
        assert len(days(db)) == 10
        retention.use(4.0)
        await watched.sweep()
    assert days(db) == [6, 7, 8, 9]
    assert "old messages could not be deleted" in [record.getMessage() for record in caplog.records]


async def test_a_closed_store_deletes_nothing(db: Base) -> None:
    async with store_on(db) as running:
        pass
    with pytest.raises(StoreError):
        await running.prune(MessageId(0), MessageId(1), 0)
    with pytest.raises(StoreError):
        await running.prune_astray(0)


async def test_a_daemon_under_load_deletes_and_refuses_no_message(file: Path, tmp_path: Path) -> None:
    """C-15, C-27"""
    old = [message(0, id=message(0).id + number, cid=None) for number in range(8 * ROWS_PER_STEP)]
    await fill(file, old)
    path = tmp_path / "chatd.toml"
    path.write_text("")
    book = Book()
    senders = [Sender(f"user-{number}", book) for number in range(4)]
    async with daemon(file, "--config", path) as running:
        writing = [asyncio.create_task(sender.run(running.enter)) for sender in senders]
        await book.more_acknowledged(100)
        assert len(rows(file)) > len(old)
        age_days = (time.time() * 1000 - START_MS) / DAY_MS
        path.write_text(f"[store]\nretention = {age_days - 1:.3f}\n")
        running.process.send_signal(signal.SIGHUP)
        assert (await running.logged("old messages deleted"))["messages"] == len(old)
        await book.more_acknowledged(100)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        running.terminate()
        assert await running.ended() == 0
        assert running.faults == []
    assert set(book.refused) == set()
    assert set(book.acknowledged) <= {str(row[3]) for row in rows(file)} <= book.sent


# The clock.


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "chatd.store"]


WAITS = "old messages are not deleted: the clock is far ahead of what the database knows; see chatd clock"
GOES_ON = "the clock is believed again"


async def used_until(db: Base, times: Times) -> None:
    """Simulate a daemon that ran at that time."""
    async with made(db, 0.0, times) as (retention, _):
        await retention.look()


async def test_retention_pauses_while_the_clock_is_far_ahead_at_the_start(
    db: Base, caplog: pytest.LogCaptureFixture
) -> None:
    """C-59"""
    await fill(db, map(message, range(10)))
    times = Times()
    await used_until(db, times)
    times.pass_days(400)
    times.uptime_s = 5.0
    async with made(db, 3.0, times) as (retention, watched):
        await retention.look()
        assert len(days(db)) == 10
        assert watched.waits()
        # A message by that clock, and passing time, are no evidence that the clock is right.
        now = times.wall_ms
        running_ids = first_id_of(now)
        change(db, f"INSERT INTO mensajes VALUES ({running_ids}, 'eva', 'root', 'today?', {now}, 1, NULL)")
        for _ in range(3):
            times.pass_days(0.1)
            await retention.look()
        assert len(days(db)) == 11
        times.wall_ms -= 400 * DAY_MS
        await retention.look()
        assert not watched.waits()
        assert watched.counters.deleted == 8
    assert days(db) == [8, 9, 410]
    assert [line for line in lines(caplog) if line in (WAITS, GOES_ON)] == [WAITS, GOES_ON]


async def test_a_restart_with_the_same_wrong_clock_still_waits(db: Base) -> None:
    """C-59"""
    await fill(db, map(message, range(10)))
    times = Times()
    await used_until(db, times)
    times.wall_ms += 400 * DAY_MS
    for _ in range(3):
        async with made(db, 3.0, times) as (retention, watched):
            await retention.look()
            assert watched.waits()
    assert len(days(db)) == 10


async def test_clock_trust_applies_once(db: Base) -> None:
    """C-59: the site was really off for a year."""
    await fill(db, map(message, range(10)))
    times = Times()
    await used_until(db, times)
    times.wall_ms += 365 * DAY_MS
    async with made(db, 3.0, times) as (retention, watched):
        await retention.look()
        assert watched.waits()
        await watched.run(TRUST, (times.wall_ms,))  # as `chatd clock --trust` does
        times.pass_days(0.001)
        await retention.look()
        assert not watched.waits()
        assert days(db) == [9], "the newest stays"
        times.wall_ms += 8 * DAY_MS
        await retention.look()
        assert watched.waits()


async def test_a_daemon_that_runs_a_year_without_messages_trusts_its_clock(db: Base) -> None:
    """C-59"""
    await fill(db, map(message, range(10)))
    times = Times()
    async with made(db, 100.0, times) as (retention, watched):
        for _ in range(25):
            await retention.look()
            times.pass_days(15)
        assert not watched.waits()
    assert days(db) == [9]


@pytest.mark.parametrize(("kept_days", "step_days", "waits"), [(3, 1.4, False), (3, 1.6, True), (30, 7.1, True)])
async def test_retention_pauses_after_the_clock_was_set_forward(
    db: Base, kept_days: float, step_days: float, waits: bool
) -> None:
    """C-59: no message is deleted before half of its retention"""
    await fill(db, map(message, range(10)))
    times = Times()
    async with made(db, kept_days, times) as (retention, watched):
        await retention.look()
        times.pass_days(0.01)
        times.wall_ms += round(step_days * DAY_MS)
        await retention.look()
        assert watched.waits() is waits


async def test_a_machine_that_boots_in_1970_continues_after_the_clock_is_set(db: Base) -> None:
    """C-59"""
    await fill(db, map(message, range(10)))
    await used_until(db, Times())
    times = Times(wall_ms=60_000)
    async with made(db, 3.0, times) as (retention, watched):
        await retention.look()
        assert (len(days(db)), watched.waits()) == (10, False)
        times.pass_days(0.001)
        times.wall_ms = TENTH_DAY_MS + DAY_MS
        await retention.look()
        assert not watched.waits()
    assert days(db) == [8, 9]


@pytest.mark.parametrize(("later_days", "left"), [(1, [7, 8, 9]), (365, list(range(10)))])
async def test_without_a_stored_time_the_newest_message_counts(file: Path, later_days: int, left: list[int]) -> None:
    """C-59: retention over the data of an older chatd, of a site that is in use and of one that was idle for a year."""
    async with aiosqlite.connect(file, isolation_level=None) as older:
        await migrate(older, MIGRATIONS[:3])
        for one in map(message, range(10)):
            values = (one.id, one.de, one.para, one.mensaje, one.fecha, one.supervisado, one.cid)
            await older.execute("INSERT INTO mensajes VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    async with made(file, 3.0, Times(message(9).fecha + later_days * DAY_MS)) as (retention, watched):
        await retention.look()
        assert watched.waits() is (later_days == 365)
    assert days(file) == left


# Ids that disagree with the date.


async def test_messages_with_ids_of_the_future_are_deleted_by_their_date(db: Base) -> None:
    """C-59: after a clock that was ahead, and after an import of the greatest possible id."""
    ahead = first_id_of(TENTH_DAY_MS + 400 * DAY_MS)
    written = [message(number, id=MessageId(ahead + number)) for number in range(9)]
    await fill(db, [*written, message(2, de="eva", id=MessageId(2**63 - 2)), message(9, id=MessageId(2**63 - 1))])
    async with made(db, 3.0) as (retention, watched):
        await retention.look()
        assert watched.counters.deleted == 8
        assert watched.steps == 1 + 2, "nothing along the ids, one step, and that there is no more"
    assert days(db) == [7, 8, 9]


async def test_many_with_ids_of_the_future_are_deleted_in_small_steps(db: Base) -> None:
    """C-15, C-59"""
    ahead = first_id_of(TENTH_DAY_MS + 400 * DAY_MS)
    await fill(db, [message(0, id=MessageId(ahead + number), cid=None) for number in range(2 * ROWS_PER_STEP + 1)])
    async with made(db, 3.0) as (retention, watched):
        await retention.look()
        assert (watched.counters.deleted, watched.steps) == (2 * ROWS_PER_STEP, 1 + 3)


async def test_kept_messages_with_small_ids_are_not_scanned_again(db: Base) -> None:
    """C-59: as after an import from another system that numbers from 1."""
    rows_of_a_day = 4 * ROWS_PER_STEP
    imported = [message(9, id=MessageId(number + 1), cid=None) for number in range(rows_of_a_day)]
    await fill(db, [*imported, message(10)])
    times = Times()
    async with made(db, 3.0, times) as (retention, watched):
        await retention.look()
        assert watched.steps == 4 + 1 + 1
        times.pass_days(1)
        watched.steps = 0
        await retention.look()
        assert (watched.steps, watched.counters.deleted) == (2, 0)
        times.pass_days(2.5)
        await retention.look()
        assert watched.counters.deleted == rows_of_a_day


async def test_a_kept_newest_message_is_deleted_when_there_is_a_newer_one(db: Base) -> None:
    """C-18, C-59"""
    await fill(db, map(message, range(3)))
    times = Times()
    async with made(db, 3.0, times) as (retention, watched):
        await retention.look()
        assert days(db) == [2]
        newer = f"{first_id_of(times.wall_ms)}, 'eva', 'root', 'hola', {times.wall_ms}, 1, NULL"
        change(db, f"INSERT INTO mensajes VALUES ({newer})")
        await retention.look()
        assert watched.counters.deleted == 3
    assert days(db) == [10]


async def test_a_conversation_whose_last_message_was_deleted_shows_the_one_before(db: Base) -> None:
    """C-59, C-73: the last message by id is not the last by date."""
    ahead = MessageId(first_id_of(TENTH_DAY_MS + 400 * DAY_MS))
    await fill(db, [message(8), message(0, id=ahead), message(9, de="eva", id=MessageId(ahead + 1))])
    list_conversations(db, {"ana": ahead, "eva": ahead + 1})
    async with made(db, 3.0) as (retention, _):
        await retention.look()
    assert dict(ask(db, "SELECT con, ultimo FROM conversaciones")) == {"ana": message(8).id, "eva": ahead + 1}


AGES = st.integers(0, 2_000)  # in hundredths of a day before the tenth
PEOPLE = st.sampled_from([("ana", "root", True), ("eva", "root", True), ("root", "ana", False), ("root", "eva", False)])


WRITTEN = st.lists(st.tuples(AGES, st.none() | st.integers(-40_000, 40_000), PEOPLE), min_size=1, max_size=12)
PAUSES = st.lists(st.integers(0, 800), min_size=1, max_size=3)
Written = list[tuple[int, int | None, tuple[str, str, bool]]]


@settings(max_examples=25, deadline=None)
@given(written=WRITTEN, pauses=PAUSES)
def test_old_messages_are_deleted_whatever_their_ids(written: Written, pauses: list[int]) -> None:
    """C-59: over several sweeps, with the list of conversations"""
    with tempfile.TemporaryDirectory() as folder:
        check_sweeps(Path(folder) / "chatd.db", written, pauses)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=WRITTEN, pauses=PAUSES)
def test_old_messages_are_deleted_whatever_their_ids_on_postgresql(
    postgres: PostgresBase, written: Written, pauses: list[int]
) -> None:
    """C-59"""
    check_sweeps(postgres, written, pauses)
    change(postgres, "TRUNCATE mensajes, conversaciones, reloj")


def check_sweeps(base: Base, written: Written, pauses: list[int]) -> None:
    hundredth = DAY_MS // 100
    messages = {}
    for number, (age, astray, (de, para, supervised)) in enumerate(written):
        fecha = TENTH_DAY_MS - age * hundredth
        id_ms = fecha if astray is None else max(EPOCH_MS + 1, fecha + astray * hundredth)
        one = message(0, id=MessageId(first_id_of(id_ms) + number), fecha=fecha, de=de, para=para, cid=None)
        messages[one.id] = msgspec.structs.replace(one, supervisado=supervised)

    async def live(db: Base) -> None:
        times = Times()
        async with made(db, 5.0, times) as (retention, watched):
            summed = asyncio.Event()
            watched.sum_up(summed.set)
            await summed.wait()
            for pause in pauses:
                await retention.look()
                newest = max(messages)
                before = times.wall_ms - 5 * DAY_MS
                left = {one for one in messages if one == newest or messages[one].fecha >= before}
                assert {row[0] for row in rows(db)} == left
                assert listed(db) == last_of_each(messages[one] for one in left)
                times.pass_days(pause / 100)

    store(base, [messages[one] for one in sorted(messages)])
    asyncio.run(live(base))


def listed(db: Base) -> dict[tuple[str, str], int]:
    return {(reader, con): last for reader, con, last in ask(db, "SELECT * FROM conversaciones")}


def last_of_each(left: Iterable[Message]) -> dict[tuple[str, str], int]:
    """The expected list of conversations."""
    last: dict[tuple[str, str], int] = {}
    for one in sorted(left, key=lambda each: each.id):
        last["" if one.supervisado else one.de, one.de if one.supervisado else one.para] = one.id
    return last
