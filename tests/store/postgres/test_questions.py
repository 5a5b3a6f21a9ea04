"""Every query on messages uses the index that was made for it, whatever the planner's statistics."""

from __future__ import annotations

import re

import pytest

from chatd.store.history import Towards, Viewer
from chatd.store.postgres import questions
from chatd.store.postgres.store import PostgresStore
from tests.store.rig import PostgresBase, change, store_on

ANA, ROOT = Viewer("ana", is_admin=False), Viewer("root", is_admin=True)
SPAN = "0, 9000000000000000000, 50"

SENT, WROTE, BETWEEN = "mensajes_para", "mensajes_de", "mensajes_entre"
SHOWN, PRIVATE, CID = "mensajes_supervisados", "mensajes_privados", "mensajes_cid"
KEY = "mensajes_pkey"

FILL = """
    INSERT INTO mensajes SELECT n, CASE WHEN n % 3 = 0 THEN 'root' ELSE 'u' || n % 50 END,
        CASE WHEN n % 3 = 0 THEN 'u' || n % 40 ELSE 'root' END, 'm', n, (n % 3 <> 0)::int, 'c' || n
    FROM generate_series(1, 20000) AS n;
    ANALYZE
"""


@pytest.mark.parametrize(
    ("sql", "values", "indexes"),
    [
        (questions.page(ANA, None, Towards.PAST), f"{SPAN}, 'ana'", {WROTE, SENT}),
        (questions.page(ANA, None, Towards.FUTURE), f"{SPAN}, 'ana'", {WROTE, SENT}),
        (questions.page(ANA, "u1", Towards.PAST), f"{SPAN}, 'ana', 'u1'", {BETWEEN, PRIVATE}),
        (questions.page(ROOT, "u1", Towards.PAST), f"{SPAN}, 'root', 'u1'", {WROTE, SENT, PRIVATE}),
        (questions.CONVERSATIONS, "'root', 9000000000000000000, 20", {PRIVATE, KEY, WROTE}),
        (questions.NAMED, "'root', 'u', 20", {PRIVATE, KEY, WROTE}),
        (questions.UNREAD, "'u1'", {PRIVATE, SENT}),
        (questions.UNREAD_BY_ADMIN, "'root', 'u1'", {PRIVATE, WROTE}),
        (questions.UNREAD_BY_USER, "'u1', 'root'", {PRIVATE, SENT}),
        (questions.MISSED, "'{1}', '{u1}', '{f}', '{5}', '{900}', 50, 100", {SHOWN, SENT}),
        (questions.FIND, "'{1}', '{u1}', '{c1}', '{t}'", {CID}),
    ],
)
async def test_a_query_uses_its_indexes(postgres: PostgresBase, sql: str, values: str, indexes: set[str]) -> None:
    """C-71"""
    async with store_on(postgres, db_readers=1) as store:
        assert isinstance(store, PostgresStore)
        change(postgres, FILL)
        await store._readers.fetch(f"PREPARE asked AS {sql}")
        plan = [str(row[0]) for row in await store._readers.fetch(f"EXPLAIN EXECUTE asked({values})")]
    looks = [line for line in plan if "mensajes" in line]
    assert looks
    assert not [line for line in looks if "Seq Scan" in line or "Bitmap" in line]
    assert {name for line in looks for name in re.findall(r"using (\w+)", line)} == indexes
