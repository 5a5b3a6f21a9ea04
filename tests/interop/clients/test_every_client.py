"""Each row of the table runs all steps: `make interop` runs every row, `make test` those that `make setup` installs."""

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
# Any origin: the browsers connect through the proxy, whose port is not that of their page.
DAEMON = ("--recovery", "on", "--client-dir", str(BUNDLES), "--origin", "*", "--insecure-any-origin")

pytestmark = pytest.mark.timeout(240)  # some start a browser


# Limit for the reconnection after a restart, checked by `make interop` only: `make test` may run on a busy machine.
BACK_S = 2.0
# Firefox delays a new WebSocket to a server after failed attempts, longer each time.
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
    """The version of the runtime may differ from the one in the table."""
    is_every = bool(pytestconfig.getoption("every_client"))
    found = passed[row.name] = await run(
        row, tmp_path, BACK_S if is_every and row.name != PAUSES_ITSELF else PATIENCE_S
    )
    if not is_every:
        [recorded] = [result for result in results.read() if result.name == row.name]
        assert found == dataclasses.replace(recorded, runtime=found.runtime)
