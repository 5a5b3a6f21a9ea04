"""Acknowledged rows survive SIGKILL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.rig import opened, rows, spawn


@pytest.mark.parametrize("answers_before_the_end", [1, 777, 3000])
async def test_every_answered_row_survives_sigkill(tmp_path: Path, answers_before_the_end: int) -> None:
    db = tmp_path / "chatd.db"
    answered: list[int] = []
    for _ in range(3):
        process = await spawn("tests.store.endless_writer", str(db))
        assert process.stdout is not None
        lines = [await process.stdout.readline() for _ in range(answers_before_the_end)]
        process.kill()
        lines += (await process.stdout.read()).splitlines(keepends=True)
        answered += [int(line) for line in lines if line.endswith(b"\n")]
        await process.wait()
        async with opened(db):  # the lock was released when its holder died
            pass
        stored = [row.id for row in rows(db)]
        assert stored == sorted(set(stored))
        assert set(answered) <= set(stored)
    assert answered == sorted(set(answered))
