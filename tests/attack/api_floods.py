"""What other systems do to reach a limit of the API over and over: as log_floods.py, for `--api`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from chatd.api.door import ApiLimit
from chatd.api.keys import Key, Scope, digest_of, new_key
from tests.api.served import System
from tests.attack.log_floods import TIMES, Flood, Row
from tests.chat.daemon import Daemon
from tests.conformance.wire import Client
from tests.store.rig import locked

FLAGS: Final = ("--api", "127.0.0.1:0", "--api-keys-file", "{keys}")

KEY: Final = new_key()


def write_keys(path: Path) -> Path:
    """A file with the key of the floods."""
    path.write_text(Key("flood", frozenset(Scope), digest_of(KEY)).line() + "\n")
    return path


def api_of(chatd: Daemon) -> Client:
    """Its connections end with it."""
    [where] = [line for line in chatd.log if line["message"] == "listening for other systems"]
    return Client(where["host"], where["port"], "/")


def _requests(status: int, target: str, key: str) -> Flood:
    """One after the other; all but the first are refused."""

    async def flood(chatd: Daemon) -> None:
        async with api_of(chatd) as client:
            system = System(await client.connect(), key)
            statuses = [(await system.ask("GET", target)).status for _ in range(TIMES + 1)]
        assert statuses[1:] == [status] * TIMES

    return flood


async def _streams(chatd: Daemon) -> None:
    async with api_of(chatd) as client:
        system = System(await client.connect(), KEY)
        codes = [(await system.ask("GET", "/v1/eventos")).json()["code"] for _ in range(TIMES)]
    assert codes == ["too_many_streams"] * TIMES


async def _long_bodies(chatd: Daemon) -> None:
    async with api_of(chatd) as client:
        for _ in range(TIMES):
            answer = await System(await client.connect(), KEY).ask("POST", "/v1/mensajes", b" " * 2_000)
            assert answer.status == 413


async def _late_database(chatd: Daemon) -> None:
    [opened] = [line for line in chatd.log if line["message"] == "store open"]
    async with api_of(chatd) as client:
        systems = [System(await client.connect(), KEY) for _ in range(TIMES)]
        with locked(Path(opened["path"])):
            asked = (system.ask("POST", "/v1/mensajes", {"para": "ana", "mensaje": "hola"}) for system in systems)
            answers = await asyncio.gather(*asked)
    assert [answer.json()["code"] for answer in answers] == ["timeout"] * TIMES


API_FLOODS: Final[Mapping[StrEnum, Row]] = {
    ApiLimit.API_RATE: Row(_requests(429, "/v1/no_leidos", KEY), [*FLAGS, "--api-rate", "0.01"]),
    ApiLimit.API_ADDRESS_RATE: Row(
        _requests(429, "/v1/no_leidos", "chatd_guessed"), [*FLAGS, "--api-address-rate", "0.01"]
    ),
    ApiLimit.API_MAX_BODY: Row(_long_bodies, [*FLAGS, "--api-max-body", "1024"]),
    ApiLimit.API_MAX_STREAMS: Row(_streams, [*FLAGS, "--api-max-streams", "0"]),
    ApiLimit.API_TIMEOUT: Row(_late_database, [*FLAGS, "--api-timeout", "0.2", "--busy-timeout", "20"]),
}
"""By limit."""
