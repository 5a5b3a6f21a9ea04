"""Visits to the API: clients that send, read and follow the stream, and clients that never finish a request."""

from __future__ import annotations

import json
from typing import Final

from tests.api.inside import KEY
from tests.attack.visitors import Visit, Visitors
from tests.conformance.wire import Client, request_bytes

_BEARER: Final = {"Authorization": f"Bearer {KEY}"}
_JSON: Final = {**_BEARER, "Content-Type": "application/json"}


def _message(visitors: Visitors) -> tuple[str, bytes]:
    """The text of a message in the name of a user, and the body that sends it."""
    fields = {"de": visitors.user(), **visitors.fields()}
    return fields["mensaje"], json.dumps(fields).encode()


async def sends_by_the_api(visitors: Visitors, client: Client) -> None:
    """Each message is acknowledged before the next is sent."""
    connection = await client.connect()
    for _ in range(visitors.number(5)):
        text, body = _message(visitors)
        answer = await connection.request("POST", "/v1/mensajes", headers=_JSON, body=body)
        assert answer.status == 201, answer
        visitors.acknowledge(text, f"[{answer.text}]")


async def sends_and_is_gone(visitors: Visitors, client: Client) -> None:
    connection = await client.connect()
    for _ in range(visitors.number(5)):
        connection.write(request_bytes("POST", "/v1/mensajes", _JSON, _message(visitors)[1]))
    connection.abort()


async def reads_by_the_api(visitors: Visitors, client: Client) -> None:
    """Pipelined queries, of which some answers are read; and an invalid key."""
    connection, questions = await client.connect(), visitors.number(10)
    connection.write(request_bytes("GET", "/v1/conversaciones?limite=3", _BEARER) * questions)
    for _ in range(visitors.number(questions)):
        answer = await connection.answer()
        assert answer.status in {200, 503}, answer  # history_busy, of more than four at a time
    guess = {"Authorization": "Bearer chatd_guessed"}
    assert (await (await client.connect()).request("GET", "/v1/no_leidos", headers=guess)).status == 401


async def follows_the_events(visitors: Visitors, client: Client) -> None:
    """From the first message or from now on, for a moment, with bytes after the request."""
    connection = await client.connect()
    target = "/v1/eventos?desde=0" if visitors.number(2) == 1 else "/v1/eventos"
    connection.write(request_bytes("GET", target, _BEARER))
    assert await connection.read_exactly(12) in {b"HTTP/1.1 200", b"HTTP/1.1 503"}
    connection.write(bytes(visitors.number(1_000)))


async def half_a_request_to_the_api(visitors: Visitors, client: Client) -> None:
    """A head or a body that is never finished, after a query or alone."""
    connection = await client.connect()
    question = request_bytes("GET", "/v1/personas", _BEARER) * (visitors.number(2) - 1)
    half = request_bytes("POST", "/v1/mensajes", {**_JSON, "Content-Length": "500000"}) + bytes(60_000)
    connection.write(question + half[: visitors.number(len(half))])
    assert (await (await client.connect()).request("OPTIONS", "/v1/mensajes")).status == 200


API_VISITS: Final[tuple[Visit, ...]] = (
    sends_by_the_api,
    sends_and_is_gone,
    reads_by_the_api,
    follows_the_events,
    half_a_request_to_the_api,
)
