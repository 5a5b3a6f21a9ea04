"""Buffers inside of events and acknowledgements, in both directions."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.interop.conftest import Client
from tests.interop.processes import Server
from tests.interop.values import Js

ALL_BYTES: Final = bytes(range(256))

ARGUMENTS: Final[dict[str, list[Any]]] = {
    "alone": [ALL_BYTES],
    "empty": [b""],
    "in an object": [{"name": "photo.png", "data": b"\x89PNG", "size": 4}],
    "deep": [{"list": [1, [b"one", {"two": b"two"}]], "end": None}],
    "ten": [[bytes([number]) for number in range(10)]],
    "beside text": ["before", b"\x00", "after", None, "🦜"],
    "a frame of two lengths": [b"x" * 126, b"y" * 65_536],
    "large": [ALL_BYTES * 1200],
}

# All JavaScript types that hold bytes; Node.js receives each of them as a Buffer.
CONTAINERS: Final = {
    "ArrayBuffer": "new Uint8Array([1, 2, 3]).buffer",
    "Uint8Array": "new Uint8Array([1, 2, 3])",
    "a view of a part": "new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4)",
}


@pytest.mark.parametrize("what", ARGUMENTS)
async def test_buffers_come_back(client: Client, echo: Server, what: str) -> None:
    socket = await client.connected(echo.url)
    await socket.emit("message", *ARGUMENTS[what])
    assert await socket.hear("message-back") == ARGUMENTS[what]


@pytest.mark.parametrize("what", ["deep", "ten"])
async def test_buffers_come_back_in_an_acknowledgement(client: Client, echo: Server, what: str) -> None:
    socket = await client.connected(echo.url)
    assert await socket.ask("message-with-ack", *ARGUMENTS[what]) == ARGUMENTS[what]


async def test_the_client_acknowledges_with_buffers(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    await socket.emit("ask-me", b"question")
    assert await socket.answer_next("question", {"answer": ALL_BYTES}, b"") == [b"question"]
    assert await socket.hear("answered") == [{"answer": ALL_BYTES}, b""]


@pytest.mark.parametrize("container", CONTAINERS)
async def test_every_container_of_bytes_is_understood(client: Client, echo: Server, container: str) -> None:
    socket = await client.connected(echo.url)
    await socket.emit("message", Js(CONTAINERS[container]))
    assert await socket.hear("message-back") == [b"\x01\x02\x03"]


async def test_binary_and_text_keep_their_order_while_the_client_upgrades(client: Client, echo: Server) -> None:
    socket = await client.open(echo.url)
    sent = [number.to_bytes(2, "big") if number % 2 else str(number) for number in range(100)]
    for one in sent:
        await socket.emit("message", one)
    assert [await socket.hear("message-back") for _ in sent] == [[one] for one in sent]


async def test_a_client_that_forces_base64_gets_its_bytes_as_text(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url, forceBase64=True)
    await socket.emit("message", {"data": ALL_BYTES})
    assert await socket.hear("message-back") == [{"data": ALL_BYTES}]
