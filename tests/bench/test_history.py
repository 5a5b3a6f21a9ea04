"""The benchmark `history`, on a small table."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bench import build, history, manyrows
from bench.report import Report
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "BUILD", tmp_path / "build")
    return manyrows.database(20_000)


async def test_chatd_opens_the_table(made: Path) -> None:
    store = SqliteStore(StoreConfig(db=str(made)))
    assert await store.open() == manyrows.message_id(19_999)
    await store.close()
    with closing(sqlite3.connect(made)) as db:
        assert db.execute("SELECT count(*) FROM mensajes").fetchone() == (20_000,)
        assert db.execute("SELECT max(ultimo) FROM conversaciones").fetchone() == (manyrows.message_id(19_999),)


def test_every_query_is_measured_and_none_scans_the_table(made: Path, tmp_path: Path) -> None:
    report = Report("history", ("chatd",), tmp_path)
    history.measure(report, 20_000, 3, 2)
    _, *records = map(json.loads, (tmp_path / "history.jsonl").read_text().splitlines())
    assert len(records) > 20
    assert all(0 < record["p50"] <= record["p99"] for record in records)
    plans = [line.strip() for line in report.text if line.startswith("    ")]
    assert any("mensajes_privados" in line for line in plans)
    assert not [line for line in plans if line.startswith("SCAN mensajes")]
