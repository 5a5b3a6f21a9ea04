"""The full-text index on both databases: which messages a search finds, after storing and deleting."""

from __future__ import annotations

import contextlib
import itertools
import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest

from chatd.base.errors import ConfigError
from chatd.cli.database import forget_words
from chatd.store import schema, textindex, textsql
from chatd.store.base import Message, MessageId, Store, StoreError
from chatd.store.history import LAST_ID, Past, Range, Towards, Viewer
from chatd.store.textindex import TextIndex
from chatd.store.textless import drop_index
from chatd.store.words import words_of
from tests.store.rig import Base, ask, change, store_on

ADMINS = ("root", "boss")
USERS = ("ana", "eva")
ROOT = Viewer("root", is_admin=True)


class Found:
    """A store with an index, and helpers to store and search."""

    def __init__(self, store: Store, base: Base) -> None:
        self.store = store
        self.index = TextIndex(store, textsql.of(str(base)))
        self.stored: list[Message] = []

    async def put(self, de: str, para: str, *texts: str) -> list[int]:
        """The ids of the hits."""
        failed: list[StoreError] = []
        supervised = de not in ADMINS
        for text in texts:
            one = Message(MessageId(len(self.stored) + 1), de, para, text, 1_700_000_000_000, supervisado=supervised)
            self.stored.append(one)
            self.store.put(one, lambda error: failed.append(error) if error is not None else None)
        await self.store.flushed()
        assert not failed
        return [one.id for one in self.stored[-len(texts) :]]

    async def ids(self, sought: str, viewer: Viewer = ROOT, con: str | None = None) -> list[int]:
        return [hit.id for hit in (await self.hits(sought, viewer, con))]

    async def hits(self, sought: str, viewer: Viewer, con: str | None) -> list[Past]:
        await self.index.catch_up()
        hits, onward = await self.index.search(viewer, con, words_of(sought), LAST_ID, 10_000)
        assert onward is None
        return hits


@contextlib.asynccontextmanager
async def searching(base: Base) -> AsyncIterator[Found]:
    async with store_on(base) as store:
        found = Found(store, base)
        try:
            yield found
        finally:
            await found.index.close()


async def test_words_are_found_without_regard_to_case_and_accents_and_by_their_beginning(base: Base) -> None:
    """C-89"""
    async with searching(base) as found:
        texts = ["¿Dónde está mi PEDIDO?", "Straße 7, a-b_c", "日本語 😀", "'quoted' \"twice\" ' & | ! :* OR AND NOT"]
        [order, street, far, odd] = await found.put("ana", "root", *texts)
        for sought in ("donde", "DÓN", "pedido esta", "ped dond", "mi"):
            assert await found.ids(sought) == [order], sought
        assert await found.ids("m pedido") == []  # short words match as whole words only
        assert await found.ids("pedido strasse") == []
        assert await found.ids("STRASSE") == await found.ids("7 c") == await found.ids("stra") == [street]
        assert await found.ids("日本語") == [far]
        for sought in ("or", "not and", "quoted twice", "' quo \" &"):
            assert await found.ids(sought) == [odd], sought
        [nul] = await found.put("a\0b", "root", "zero\0width")
        assert await found.ids("zero", Viewer("a\0b", is_admin=False)) == await found.ids("width") == [nul]


async def test_search_finds_exactly_the_messages_that_history_shows(base: Base) -> None:
    """C-90"""
    draw = random.Random(7)
    async with searching(base) as found:
        for _ in range(120):
            await found.put(*draw.choices((*ADMINS, *USERS), k=2), draw.choice(["red apple", "green apple", "pear"]))
        for user, con in itertools.product((*ADMINS, *USERS), (None, *ADMINS, *USERS)):
            viewer = Viewer(user, user in ADMINS)
            expected: set[int] = set()
            for other in [con] if con is not None or not viewer.is_admin else [*ADMINS, *USERS]:
                page = await found.store.library.page(viewer, other, Range(), Towards.PAST, 1_000)
                expected |= {row.id for row in page.rows if "apple" in row.mensaje}
            hits = await found.hits("APPLE", viewer, con)
            assert [hit.id for hit in hits] == sorted(expected, reverse=True), (user, con)
            by_id = {one.id: (one.de, one.para, one.mensaje) for one in found.stored}
            assert all((hit.de, hit.para, hit.mensaje) == by_id[hit.id] for hit in hits)


async def test_pages_are_consecutive_and_skip_unreadable_messages(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-89, C-90: a page may be empty although more follow"""
    monkeypatch.setattr(textindex, "MAX_STRETCHES", 1)
    async with searching(base) as found:
        old = await found.put("ana", "root", "the apple", "an apple")
        await found.put("boss", "ana", *["apple"] * (textsql.EXAMINED + 5))
        await found.index.catch_up()
        pages: list[list[int]] = []
        onward: int | None = LAST_ID
        while onward is not None:
            hits, onward = await found.index.search(ROOT, None, ["apple"], onward, 1)
            pages.append([hit.id for hit in hits])
        assert pages == [[], [old[1]], [old[0]], []]


async def test_deleted_messages_are_not_found_whoever_deleted_them(base: Base) -> None:
    """C-91"""
    async with searching(base) as found:
        first, second, third = await found.put("ana", "root", "apple 1", "apple 2", "apple 3")
        assert len(await found.ids("apple")) == 3
        change(base, f"DELETE FROM mensajes WHERE id = {second}")
        assert await found.ids("apple") == [third, first]
        assert (await found.store.prune(MessageId(0), MessageId(third), 2**53)) == (first, 1)
        assert await found.ids("apple") == [third]
        assert ask(base, "SELECT count(*) FROM textos") == [(1,)]


async def test_a_message_with_another_id_is_found_under_that_one(base: Base) -> None:
    """C-91: at the next start after `chatd renumber`"""
    async with searching(base) as found:
        await found.put("ana", "root", "apple")
        assert await found.ids("apple") == [1]
        change(base, "UPDATE mensajes SET id = 5 WHERE id = 1")
        found.index = TextIndex(found.store, textsql.of(str(base)))
        assert await found.ids("apple") == [5]


async def test_a_start_indexes_imported_messages(base: Base) -> None:
    """C-91"""
    async with searching(base) as found:
        await found.put("ana", "root", "nothing", "apple")
        assert await found.ids("apple") == [2]
        sql = "INSERT INTO mensajes VALUES (-1, 'eva', 'root', 'old apple', 0, 1, NULL)"
        change(base, sql)
        found.index = TextIndex(found.store, textsql.of(str(base)))
        assert await found.ids("apple") == [2, -1]


async def test_many_messages_are_indexed_in_steps_each_once(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-91"""
    monkeypatch.setattr(textindex, "PAUSE_S", 0)
    async with searching(base) as found:
        count = 2 * textindex.STEP_ROWS * textindex.MAX_STEPS + 7
        await found.put("ana", "root", *["apple"] * count)
        await found.index.make()
        found.index.start()
        while len(await found.ids("apple")) < count:
            pass
        await found.index.close()
        await found.index.close()
        assert ask(base, "SELECT count(*) FROM textos") == [(count,)]


async def test_only_the_beginning_of_a_long_message_is_indexed(base: Base) -> None:
    """C-91"""
    async with searching(base) as found:
        many = " ".join(f"w{number}x" for number in range(3_000))
        await found.put("ana", "root", "first " + "z" * 30_000 + " last", many)
        assert await found.ids("first") == [1]
        assert await found.ids("last") == []
        assert await found.ids("w1999x") == [2]
        assert await found.ids("w2000x") == []


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS) + 1))
async def test_a_file_of_any_older_schema_gets_an_index(tmp_path: Path, version: int) -> None:
    """C-91"""
    db = tmp_path / "chatd.db"
    async with aiosqlite.connect(db, isolation_level=None) as connection:
        await schema.migrate(connection, schema.MIGRATIONS[:version])
        insert = (
            "INSERT INTO mensajes (id, de, para, mensaje, fecha, supervisado) VALUES (1, 'ana', 'root', 'apple', 2, 1)"
        )
        await connection.execute_fetchall(insert)
    async with searching(db) as found:
        assert await found.ids("apple") == [1]


async def test_without_search_the_index_is_dropped(base: Base) -> None:
    """C-91"""
    async with searching(base) as found:
        await found.put("ana", "root", "apple")
        assert await found.ids("apple") == [1]
    async with store_on(base) as store:
        for _ in range(2):
            await drop_index(store, str(base))
        await store.run("DELETE FROM mensajes WHERE id = ?1", (1,))
        with pytest.raises(StoreError):
            await store.query("SELECT * FROM textos")


async def test_a_sqlite_without_fts5_is_refused_with_a_clear_error(tmp_path: Path) -> None:
    """C-91"""
    async with store_on(tmp_path / "chatd.db") as store:
        index = TextIndex(store, textsql.SQLITE._replace(needs="fts99"))
        with pytest.raises(ConfigError, match="search: the SQLite of this Python has no FTS99: leave search off"):
            await index.make()


def test_words_of_deleted_messages_are_purged_from_the_file(tmp_path: Path) -> None:
    """C-91: as `chatd erase` does"""
    db = tmp_path / "index.db"
    with contextlib.closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("CREATE TABLE mensajes (id INTEGER PRIMARY KEY)")
        forget_words(connection)
        for statement in textsql.SQLITE.create:
            connection.execute(statement)
        for number, word in enumerate(["zebra", "quagga"]):
            connection.execute("INSERT INTO textos (rowid, palabras) VALUES (?, ?)", (number, word))
        connection.execute("DELETE FROM textos WHERE rowid = 0")
        forget_words(connection)
    assert b"zebra" not in db.read_bytes()
    assert b"quagga" in db.read_bytes()
