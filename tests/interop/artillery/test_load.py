"""The load tool artillery works with chatd: `make artillery`. Nothing is measured."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Final

import pytest

from tests.interop.chat import token
from tests.interop.conftest import running_chat

HERE: Final = Path(__file__).parent
USERS: Final = 20


@pytest.mark.artillery
async def test_each_user_sends_a_message_that_is_stored(tmp_path: Path) -> None:
    with running_chat(tmp_path) as chat:
        process = await asyncio.create_subprocess_exec(
            *("node", str(HERE / "node_modules/artillery/bin/run"), "run", str(HERE / "load.yml")),
            *("--output", str(tmp_path / "report.json")),
            env={**os.environ, "URL": chat.url, "TOKEN": token("ana"), "ARTILLERY_DISABLE_TELEMETRY": "true"},
        )
        assert await process.wait() == 0
        assert len(chat.rows("from artillery")) == USERS
    counters = json.loads((tmp_path / "report.json").read_text())["aggregate"]["counters"]
    assert counters["vusers.completed"] == counters["socketio.emit"] == USERS
    assert counters["vusers.failed"] == 0
    assert not [name for name in counters if name.startswith("errors.")]
