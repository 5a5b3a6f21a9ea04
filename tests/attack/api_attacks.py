"""Attackers of the API in a hostile afternoon: clients without a key, and a client that abuses a valid key.

`python -m tests.attack.api_attacks HOST PORT SECONDS [ATTACK ...]`, as in hostile.py, where the API listens.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final

from tests.api.inside import KEY
from tests.attack.hostile import Attack, Field, main, until_closed
from tests.conformance.wire import Client, chunk, request_bytes

AT_ONCE: Final = 20

BEARER: Final = {"Authorization": f"Bearer {KEY}"}
JSON: Final = {**BEARER, "Content-Type": "application/json"}


async def slow_bodies(field: Field, client: Client) -> None:
    """With a key and without: the announced body comes byte by byte or in chunks, and is never finished."""
    heads = [
        request_bytes("POST", "/v1/mensajes", {**JSON, "Content-Length": "900000"}),
        request_bytes("POST", "/v1/mensajes", {**JSON, "Transfer-Encoding": "chunked"}),
        request_bytes("POST", "/v1/mensajes", {"Content-Type": "application/json", "Content-Length": "900000"}),
    ]
    connections = [await client.connect() for _ in range(AT_ONCE)]
    for number, connection in enumerate(connections):
        connection.write(heads[number % 3])
    while field.open and not all(connection.at_end for connection in connections):
        for number, connection in enumerate(connections):
            connection.write(chunk(b" ") if number % 3 == 1 else b" ")
        await asyncio.sleep(0.02)  # this is what makes it slow


async def large_bodies(field: Field, client: Client) -> None:
    """Bodies up to the limit of waiting bytes and beyond: deep JSON, invalid JSON, and messages that are refused."""
    many = json.dumps({"mensajes": [{"para": "nobody", "mensaje": ""}] * 100}).encode()
    for body in (b"[" * 900_000, b" " * 1_000_000, many, b"x" * 2_000_000):
        connection = await client.connect()
        connection.write(request_bytes("POST", "/v1/mensajes/lote", JSON, body))
        await connection.answer()


async def guesses(field: Field, client: Client) -> None:
    """Hundreds of wrong keys, pipelined."""
    connection = await client.connect()
    tried = (request_bytes("GET", "/v1/personas", {"Authorization": f"Bearer {field.name()}"}) for _ in range(200))
    connection.write(b"".join(tried))
    for _ in range(200):
        await connection.answer()


async def pipelines(field: Field, client: Client) -> None:
    """Hundreds of pipelined queries and messages from a client that reads no answer."""
    connection = await client.connect()
    message = json.dumps({"para": field.name(), "mensaje": "x" * 5_000}).encode()
    connection.stop_reading()
    connection.write(request_bytes("GET", "/v1/cuentas", BEARER) * 500)
    connection.write(request_bytes("POST", "/v1/mensajes", JSON, message) * 500)
    await until_closed(await client.connect(), field)


async def streams(field: Field, client: Client) -> None:
    """More streams than may be open, from the first message on; the client reads nothing."""
    for _ in range(AT_ONCE):
        connection = await client.connect(4_096)
        connection.stop_reading()
        connection.write(request_bytes("GET", "/v1/eventos?desde=0", BEARER))
    await until_closed(await client.connect(), field)


ATTACKS: Final[tuple[Attack, ...]] = (slow_bodies, large_bodies, guesses, pipelines, streams)

if __name__ == "__main__":
    main(ATTACKS)
