"""API requests that reach a limit over and over: as log_floods.py, for `--api`."""

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
from tests.conformance.wire import Client, request_bytes
from tests.store.rig import locked

FLAGS: Final = ("--api", "127.0.0.1:0", "--api-keys-file", "{keys}")

KEY: Final = new_key()

BEARER: Final = {"Authorization": f"Bearer {KEY}"}

UNHURRIED: Final = ("--api-rate", "0", "--message-rate", "0", "--max-chars-per-minute", "0")


def write_keys(path: Path) -> Path:
    """A file with the API key of the floods."""
    path.write_text(Key("flood", frozenset(Scope), digest_of(KEY)).line() + "\n")
    return path


def api_of(chatd: Daemon) -> Client:
    """An API client whose connections the daemon's client closes."""
    [where] = [line for line in chatd.log if line["message"] == "listening for other systems"]
    return Client(where["host"], where["port"], "/")


def _requests(status: int, target: str, key: str) -> Flood:
    """Consecutive requests; all but the first are refused."""

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


async def _streams_of_a_key(chatd: Daemon) -> None:
    """The first stream stays open."""
    async with api_of(chatd) as client:
        stream = await client.connect()
        stream.write(request_bytes("GET", "/v1/eventos", BEARER))
        await stream.read_exactly(len("HTTP/1.1 200 OK"))
        system = System(await client.connect(), KEY)
        codes = [(await system.ask("GET", "/v1/eventos")).json()["code"] for _ in range(TIMES)]
    assert codes == ["too_many_streams_of_key"] * TIMES


async def _connections(chatd: Daemon) -> None:
    async with api_of(chatd) as client:
        first = System(await client.connect(), KEY)
        assert (await first.ask("GET", "/v1/no_leidos")).status == 200
        for _ in range(TIMES):
            answer = await System(await client.connect(), KEY).ask("GET", "/v1/no_leidos")
            assert (answer.status, answer.json()["code"]) == (429, "too_many_connections_of_key")


async def _deaf_readers(chatd: Daemon) -> None:
    async with api_of(chatd) as client:
        system = System(await client.connect(), KEY)
        many = {"mensajes": [{"para": "ana", "mensaje": "x" * 9_000} for _ in range(100)]}
        for _ in range(5):
            assert (await system.ask("POST", "/v1/mensajes/lote", many)).status == 200
        for _ in range(TIMES):
            reader = await client.connect(4_096)
            reader.stop_reading()
            reader.write(request_bytes("GET", "/v1/eventos?desde=0", BEARER))
        async with asyncio.timeout(20):
            while await refusals(system, ApiLimit.API_STREAM_TIMEOUT) < TIMES:
                pass


async def refusals(system: System, limit: ApiLimit) -> float:
    """How often `limit` was reached."""
    samples = (await system.get("/v1/cuentas"))["cuentas"]
    [count] = [each["valor"] for each in samples if each["etiquetas"] == {"by": "api", "reason": limit.value}]
    return float(count)


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
    ApiLimit.API_MAX_STREAMS_PER_KEY: Row(_streams_of_a_key, [*FLAGS, "--api-max-streams-per-key", "1"]),
    ApiLimit.API_MAX_CONNECTIONS_PER_KEY: Row(_connections, [*FLAGS, "--api-max-connections-per-key", "1"]),
    ApiLimit.API_STREAM_TIMEOUT: Row(
        _deaf_readers, [*FLAGS, *UNHURRIED, "--api-stream-timeout", "0.2", "--api-max-streams-per-key", "0"]
    ),
    ApiLimit.API_TIMEOUT: Row(_late_database, [*FLAGS, "--api-timeout", "0.2", "--busy-timeout", "20"]),
}
"""The row of each limit."""
