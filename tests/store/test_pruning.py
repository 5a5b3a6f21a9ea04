"""The index of messages whose id has another time than their `fecha`: which rows are in it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from chatd.chat.messages.ids import EPOCH_MS, NODE_BITS, SEQUENCE_BITS, IdSource, first_id_of
from chatd.store.base import MessageId
from chatd.store.pruning import AGREED_MS, ASTRAY
from tests.cli.stored import START_MS, message, store


def astray(db: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        sql = f"SELECT id FROM mensajes INDEXED BY mensajes_desfasados WHERE {ASTRAY} ORDER BY id"
        return [number for (number,) in connection.execute(sql)]


def test_the_index_is_empty_with_ids_of_a_correct_clock(tmp_path: Path) -> None:
    """C-59"""
    db = tmp_path / "chatd.db"
    ids = IdSource(lambda: START_MS, 1_023, None)
    store(db, [message(0, id=ids.next(), cid=None) for _ in range(10_000)])
    assert astray(db) == []


def test_an_id_and_a_date_agree_if_they_are_a_minute_apart(tmp_path: Path) -> None:
    """C-59"""
    db = tmp_path / "chatd.db"
    apart = {
        ms: MessageId(first_id_of(START_MS + ms) + 1) for ms in (-AGREED_MS - 1, -AGREED_MS, AGREED_MS, AGREED_MS + 1)
    }
    store(db, [message(0, id=number, cid=None) for number in apart.values()])
    assert astray(db) == [apart[-AGREED_MS - 1], apart[AGREED_MS + 1]]


def test_the_statement_computes_times_as_ids_do() -> None:
    """The statement is part of the schema, and contains the constants of ids."""
    assert f"id >> {NODE_BITS + SEQUENCE_BITS}) + {EPOCH_MS} NOT" in ASTRAY
    assert f"BETWEEN fecha - {AGREED_MS} AND fecha + {AGREED_MS}" in ASTRAY
