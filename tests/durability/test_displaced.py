"""The database file is removed, replaced or moved under load: every acknowledged message is there at the next start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ops.operator import operated
from tests.store.rig import rows
from tests.store.test_guard import (
    overwrite,
    remove,
    remove_log,
    remove_shared_memory,
    rename_folder,
    replace,
)

TOLD = "the database file was moved or replaced; nothing is stored"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / "chatd.db"


@pytest.mark.parametrize(
    ("displace", "kept"),
    [
        (remove, []),
        (replace, ["hola"]),
        (overwrite, ["hola"]),
        (remove_log, ["before"]),
        (remove_shared_memory, ["before"]),
        (rename_folder, ["before"]),
    ],
)
async def test_a_daemon_with_a_displaced_database_refuses_until_it_is_restarted(
    db: Path, displace: Callable[[Path], None], kept: list[str]
) -> None:
    """C-66"""
    async with operated(db) as operator:
        ana = await operator.chatd.enter("ana")
        assert (await ana.write("root", "before"))["ok"] is True
        displace(db)
        answers = [await ana.write("root", "meanwhile") for _ in range(3)]
        assert {answer["ok"] or answer["error"]["code"] for answer in answers} == {"store_unavailable"}
        ready = await operator.get("/readyz")
        assert (ready.status, "restart chatd" in ready.text) == (503, True)
        assert (await operator.get("/healthz")).status == 200
        assert (await operator.metrics())("chatd_store_displaced") == 1
        operator.chatd.terminate()
        assert await operator.chatd.ended() == 0
        assert [line["message"] for line in operator.chatd.faults].count(TOLD) == 1
    if displace is rename_folder:
        db.parent.with_name("elsewhere").rename(db.parent)
    async with operated(db) as operator:
        assert (await operator.get("/readyz")).status == 200
        assert (await operator.metrics())("chatd_store_displaced") == 0
        ana = await operator.chatd.enter("ana")
        assert (await ana.write("root", "after"))["ok"] is True
    stored = [row.mensaje for row in rows(db)]
    assert [text for text in stored if text != "meanwhile"] == [*kept, "after"]


@pytest.mark.parametrize("restore", [replace, overwrite])
async def test_the_write_ahead_log_of_a_killed_daemon_does_not_undo_a_restore(
    db: Path, restore: Callable[[Path], None]
) -> None:
    """C-66"""
    async with operated(db) as operator:
        ana = await operator.chatd.enter("ana")
        for number in range(20):
            assert (await ana.write("root", str(number)))["ok"] is True
        restore(db)
        assert (await operator.get("/readyz")).status == 503
        operator.chatd.process.kill()
    assert [row.id for row in rows(db)] == [99]
