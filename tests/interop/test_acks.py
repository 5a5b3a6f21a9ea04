"""Acknowledgements, in both directions."""

from __future__ import annotations

import asyncio

from tests.interop.conftest import Client
from tests.interop.processes import Server
from tests.interop.test_events import EVERY_TYPE


async def test_the_server_acknowledges_with_the_same_arguments(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    assert await socket.ask("message-with-ack", *EVERY_TYPE) == EVERY_TYPE


async def test_an_acknowledgement_may_be_empty(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    assert await socket.ask("message-with-ack") == []


async def test_concurrent_acknowledgements_reach_their_own_callbacks(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    answers = await asyncio.gather(*(socket.ask("message-with-ack", number) for number in range(100)))
    assert answers == [[number] for number in range(100)]


async def test_the_client_acknowledges_what_the_server_asks(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    await socket.emit("ask-me", "how", {"are": ["you", None]})
    assert await socket.answer_next("question", "fine", *EVERY_TYPE) == ["how", {"are": ["you", None]}]
    assert await socket.hear("answered") == ["fine", *EVERY_TYPE]


async def test_the_client_may_acknowledge_in_another_order(client: Client, echo: Server) -> None:
    """Two clients acknowledge the same ack id, the second one first: an ack id belongs to one socket."""
    first, second = await client.connected(echo.url), await client.connected(echo.url)
    await first.emit("ask-me", 1)
    await second.emit("ask-me", 2)
    assert await second.answer_next("question", "second") == [2]
    assert await first.answer_next("question", "first") == [1]
    assert await first.hear("answered") == ["first"]
    assert await second.hear("answered") == ["second"]
