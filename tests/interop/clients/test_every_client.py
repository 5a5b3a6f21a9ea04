"""Each row of the table plays the script: `make interop` runs all rows, `make test` those of `make setup`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.interop.clients import results
from tests.interop.clients.results import Result
from tests.interop.clients.rows import ROWS, Row
from tests.interop.clients.steps import Stage, play
from tests.interop.conftest import running_chat
from tests.interop.node import HERE as INTEROP
from tests.interop.node import PATIENCE_S
from tests.interop.proxy import proxy

BUNDLES = INTEROP / "node_modules/socket.io-client-4.8/dist"
# A page of any origin, since a step of the browsers goes by another port than their page.
DAEMON = ("--recovery", "on", "--client-dir", str(BUNDLES), "--origin", "*", "--insecure-any-origin")

pytestmark = pytest.mark.timeout(240)  # a browser starts for some


# After a restart, in `make interop`; on a busy machine only their own patience counts.
BACK_S = 2.0
# It waits itself, for longer after each attempt that failed, before it opens a WebSocket to the same server again.
PAUSES_ITSELF = "firefox"


async def run(row: Row, folder: Path, back_s: float) -> Result:
    with running_chat(folder, *DAEMON) as chat:
        async with proxy(chat.server.port) as between, row.start(between.url) as seat:
            ran = await play(Stage(row, seat, chat, between, back_s))
    return Result(row.name, row.client, seat.version, seat.runtime, ran)


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name, marks=() if row.core else pytest.mark.every_client) for row in ROWS]
)
async def test_a_client_does_what_the_table_says(
    row: Row, tmp_path: Path, passed: dict[str, Result], pytestconfig: pytest.Config
) -> None:
    """The table has the runtime of the run that wrote it; the runtime here may have another version."""
    is_every = bool(pytestconfig.getoption("every_client"))
    found = passed[row.name] = await run(
        row, tmp_path, BACK_S if is_every and row.name != PAUSES_ITSELF else PATIENCE_S
    )
    if not is_every:
        [recorded] = [result for result in results.read() if result.name == row.name]
        assert found == dataclasses.replace(recorded, runtime=found.runtime)
