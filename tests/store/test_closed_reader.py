"""A reader that is closed while somebody still asks, as at a stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatd.store.base import StoreCode, StoreError
from chatd.store.reader import HistoryReader


async def test_a_closed_reader_says_that_the_database_is_unavailable(tmp_path: Path) -> None:
    reader = HistoryReader(tmp_path / "chatd.db", 1.0)
    with pytest.raises(StoreError) as caught:
        await reader.rows("SELECT 1")
    assert (caught.value.code, caught.value.retry) == (StoreCode.UNAVAILABLE, True)
