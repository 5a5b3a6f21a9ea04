"""Pages, lists and counts on random chats, compared with simple Python models."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator

import pytest

from chatd.store import conversations, history
from chatd.store.base import Message, MessageId, Store
from chatd.store.history import FIRST_ID, LAST_ID, Range, Towards, Viewer
from chatd.store.summary import STEP_ROWS
from tests.store.rig import Base, ask, store_on

USERS = ["ana", "berta", "eva"]
ADMINS = ["root", "boss", "other"]
PEOPLE = [*USERS, *ADMINS]


def chat(seed: int, count: int) -> list[Message]:
    """Random messages, in the order of ids. Some messages from admin to admin are for all admins (rule C-08)."""
    rng = random.Random(seed)
    talk = []
    for number in range(count):
        de, para = rng.choice(PEOPLE), rng.choice(PEOPLE)
        shown = de in USERS or (para in ADMINS and rng.random() < 0.2)
        talk.append(Message(MessageId(number * 3), de, para, f"m{number}", number, supervisado=shown))
    return talk


def may_read(viewer: Viewer, row: Message) -> bool:
    return viewer.user in (row.de, row.para) or (viewer.is_admin and row.supervisado)


def in_conversation(viewer: Viewer, con: str | None, row: Message) -> bool:
    """Rule C-71."""
    if con is None:
        return viewer.user in (row.de, row.para)
    if viewer.is_admin and row.supervisado:
        return con in (row.de, row.para)
    return {row.de, row.para} == {viewer.user, con}


@pytest.fixture(params=range(3))
async def told(request: pytest.FixtureRequest, base: Base) -> AsyncIterator[tuple[Store, list[Message]]]:
    talk = chat(request.param, 400)
    async with store_on(base) as store:
        for row in talk:
            store.put(row, lambda error: None)
        await store.flushed()
        yield store, talk


async def pages(store: Store, viewer: Viewer, con: str | None, towards: Towards, rows: int) -> list[int]:
    """All ids, read page by page."""
    found: list[int] = []
    span = Range()
    while True:
        part = await store.library.page(viewer, con, span, towards, rows)
        found += [row.id for row in part.rows]
        if len(part.rows) == rows:
            last = part.rows[-1].id
            span = Range(span.after, last) if towards is Towards.PAST else Range(last, span.before)
        elif part.reached is not None:
            span = history.beyond(span, part.reached, towards)
        else:
            return found


@pytest.mark.parametrize("stretch", [history.STRETCH_ROWS, 3])
async def test_history_returns_exactly_the_readable_messages(
    told: tuple[Store, list[Message]], stretch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-71, for any length of pages and stretches."""
    monkeypatch.setattr(history, "STRETCH_ROWS", stretch)
    store, talk = told
    for name, con, rows in itertools.product(PEOPLE, [*PEOPLE, "nobody", None], (7, 1000)):
        viewer = Viewer(name, name in ADMINS)
        if con is None and viewer.is_admin:
            continue
        expected = [row.id for row in talk if in_conversation(viewer, con, row)]
        assert all(may_read(viewer, row) for row in talk if row.id in expected)
        assert await pages(store, viewer, con, Towards.FUTURE, rows) == expected
        assert await pages(store, viewer, con, Towards.PAST, rows) == expected[::-1]


async def listing(store: Store, admin: str, rows: int) -> list[tuple[str, int, int]]:
    """The whole list, read page by page."""
    found: list[conversations.Conversation] = []
    upto: int | None = LAST_ID
    while upto is not None:
        part = await store.library.conversations(admin, upto, rows)
        found += part.conversations
        upto = part.upto
    return [(each.con, each.ultimo.id, each.no_leidos) for each in found]


async def found_by_name(store: Store, admin: str, prefix: str, rows: int) -> list[tuple[str, int, int]]:
    found = await store.library.named(admin, prefix, rows)
    return [(each.con, each.ultimo.id, each.no_leidos) for each in found]


@pytest.mark.parametrize("examined", [conversations.MAX_EXAMINED, 2])
async def test_the_list_has_the_conversations_of_an_admin(
    told: tuple[Store, list[Message]], examined: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-73 to C-75, C-77"""
    monkeypatch.setattr(conversations, "MAX_EXAMINED", examined)
    store, talk = told
    store.mark_read("root", "ana", MessageId(600), lambda error: None)
    store.sum_up(lambda error: None)
    await store.flushed()
    for admin in ADMINS:
        last: dict[str, int] = {}
        unread: dict[str, int] = {}
        for row in talk:
            if row.supervisado and (row.de != admin or row.para == admin):
                last[row.de] = row.id
            elif not row.supervisado and admin in (row.de, row.para):
                last[row.para if row.de == admin else row.de] = row.id
            if row.de != admin and may_read(Viewer(admin, is_admin=True), row):
                marked = 600 if (admin, row.de) == ("root", "ana") else -1
                unread[row.de] = unread.get(row.de, 0) + (row.id > marked)
        del last[admin]
        expected = sorted(((con, id_, unread.get(con, 0)) for con, id_ in last.items()), key=lambda each: -each[1])
        for rows in (2, 100):
            assert [each for each in await listing(store, admin, rows) if each[0] != admin] == expected
        whole = await listing(store, admin, 100)
        assert len({con for con, _, _ in whole}) == len(whole)
        for prefix, rows in itertools.product(("a", "b", "bo", "boss", "bossy", "r"), (1, 2, 100)):
            begun = sorted(each for each in whole if each[0].startswith(prefix))
            assert await found_by_name(store, admin, prefix, rows) == begun[:rows]


async def test_unread_messages_of_a_user_are_counted_by_author(told: tuple[Store, list[Message]]) -> None:
    """C-75"""
    store, talk = told
    store.mark_read("ana", "root", MessageId(600), lambda error: None)
    await store.flushed()
    for user in USERS:
        viewer, expected = Viewer(user, is_admin=False), dict[str, int]()
        for row in talk:
            if row.para == user != row.de and row.id > (600 if (user, row.de) == ("ana", "root") else -1):
                expected[row.de] = expected.get(row.de, 0) + 1
        assert dict(await store.library.unread(viewer)) == expected
        for con in PEOPLE:
            assert await store.library.unread_with(viewer, con) == expected.get(con, 0)


async def test_the_list_is_complete_after_a_restart(base: Base) -> None:
    """C-73: also after several steps, and without a query before the restart."""
    rows = 2 * STEP_ROWS + 17
    for start in (0, rows):
        async with store_on(base) as store:
            for number in range(start, start + rows):
                row = Message(MessageId(number), f"u{number % 90}", "root", "m", number, supervisado=True)
                store.put(row, lambda error: None)
            await store.flushed()
            [(summed,)] = ask(base, "SELECT max(ultimo) FROM conversaciones")
            assert summed >= start + STEP_ROWS
            store.sum_up(lambda error: None)
            await store.flushed()
            left = "SELECT con, ultimo FROM conversaciones EXCEPT SELECT de, max(id) FROM mensajes GROUP BY de"
            assert ask(base, left) == []
            assert ask(base, "SELECT max(ultimo) FROM conversaciones") == [(start + rows - 1,)]


async def test_last_seen_and_read_marks_are_stored(base: Base) -> None:
    """C-56"""
    async with store_on(base) as store:
        store.saw("ana", 7)
        store.mark_read("root", "ana", MessageId(5), lambda error: None)
        await store.flushed()
        assert await store.library.standing("root", "ana") == (5, None, 7)
        assert await store.library.standing("ana", "root") == (None, 5, None)
        assert await store.library.standing("eva", "a\0") == (None, None, None)


def test_a_range_without_ends_holds_every_id() -> None:
    assert Range() == (FIRST_ID, LAST_ID)
