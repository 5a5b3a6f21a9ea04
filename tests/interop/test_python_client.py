"""python-socketio, over every transport."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import socketio

from tests.interop.chat import Chat, token
from tests.interop.conftest import TRANSPORTS
from tests.interop.node import PATIENCE_S
from tests.interop.processes import Server
from tests.interop.test_events import EVERY_TYPE


@contextlib.asynccontextmanager
async def connected(url: str, transports: str, **options: Any) -> AsyncIterator[socketio.AsyncSimpleClient]:
    """A connected python-socketio client."""
    async with socketio.AsyncSimpleClient() as client:
        await client.connect(url, **TRANSPORTS[transports], **options)
        yield client


@contextlib.asynccontextmanager
async def client_with(**handlers: Callable[..., Any]) -> AsyncIterator[socketio.AsyncClient]:
    """An AsyncClient with a handler for each named event; it is closed at the end in any state."""
    client = socketio.AsyncClient(reconnection_delay=0.05, randomization_factor=0)
    for event, handler in handlers.items():
        client.on(event, handler)
    try:
        yield client
    finally:
        await client.shutdown()


async def hear(client: socketio.AsyncSimpleClient) -> list[Any]:
    """The next event: its name, then its arguments."""
    heard: list[Any] = await client.receive(timeout=PATIENCE_S)
    return heard


async def test_it_connects_over_the_chosen_transports(transports: str, echo: Server) -> None:
    async with connected(echo.url, transports, auth={"a": [1, "ñ"]}) as client:
        assert client.transport == ("polling" if transports == "polling" else "websocket")
        assert await hear(client) == ["auth", {"a": [1, "ñ"]}]


async def test_events_and_bytes_come_back(transports: str, echo: Server) -> None:
    async with connected(echo.url, transports) as client:
        await hear(client)  # auth
        await client.emit("message", (*EVERY_TYPE, {"data": bytes(range(256))}, b""))
        assert await hear(client) == ["message-back", *EVERY_TYPE, {"data": bytes(range(256))}, b""]


async def test_the_server_acknowledges(transports: str, echo: Server) -> None:
    async with connected(echo.url, transports) as client:
        answer = await client.call("message-with-ack", ("one", {"two": b"2"}), timeout=PATIENCE_S)
        assert list(answer) == ["one", {"two": b"2"}]


async def test_the_client_acknowledges(transports: str, echo: Server) -> None:
    answered: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    async with client_with(
        question=lambda *question: ("fine", *question), answered=lambda *args: answered.put_nowait(args)
    ) as client:
        await client.connect(echo.url, **TRANSPORTS[transports])
        await client.emit("ask-me", ("how", b"are you"))
        async with asyncio.timeout(PATIENCE_S):
            assert await answered.get() == ("fine", "how", b"are you")


async def test_a_long_burst_arrives_whole(transports: str, echo: Server) -> None:
    """This client refuses polling answers of more than 16 packets."""
    async with connected(echo.url, transports) as client:
        await hear(client)  # auth
        await client.emit("count", 100)
        assert [await hear(client) for _ in range(100)] == [["number", number] for number in range(100)]


async def test_a_refused_client_is_told_why(transports: str, echo: Server) -> None:
    told: asyncio.Queue[Any] = asyncio.Queue()
    async with client_with() as client:
        client.on("connect_error", told.put_nowait, namespace="/locked")
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(echo.url, namespaces=["/locked"], **TRANSPORTS[transports])
        assert (await told.get())["data"] == {"code": "password_wrong", "tries": [1, None]}


async def test_it_reconnects_after_a_restart(transports: str, own_echo: Server) -> None:
    seen: asyncio.Queue[str] = asyncio.Queue()
    async with client_with(
        connect=lambda: seen.put_nowait("connect"), disconnect=lambda reason: seen.put_nowait("disconnect")
    ) as client:
        await client.connect(own_echo.url, **TRANSPORTS[transports])
        await asyncio.to_thread(own_echo.stop)
        await asyncio.to_thread(own_echo.start)
        async with asyncio.timeout(PATIENCE_S):
            assert [await seen.get() for _ in range(3)] == ["connect", "disconnect", "connect"]
        assert await client.call("message-with-ack", "back", timeout=PATIENCE_S) == "back"


async def test_two_clients_chat(transports: str, chat: Chat) -> None:
    user = connected(chat.url, transports, headers={"Cookie": f"token={token('py-ana')}"})
    admin = connected(chat.url, transports, headers={"Cookie": f"token={token('py-root', 'admin')}"})
    async with user as ana, admin as root:
        mensaje = f"over {transports}"
        answer = await ana.call("mensaje_privado", {"para": "py-root", "mensaje": mensaje}, timeout=PATIENCE_S)
        assert await hear(root) == ["mensaje_recibido", {"de": "py-ana", "mensaje": mensaje}]
        assert [row["id"] for row in chat.rows(mensaje)] == [int(answer["id"])]


async def back_after_a_restart(chat: Chat, transports: str, **options: Any) -> dict[str, Any] | None:
    """Connect with `options`, restart the daemon, and reconnect. Returns the reason of the refusal, or None."""
    told: asyncio.Queue[dict[str, Any] | str | None] = asyncio.Queue()
    async with client_with(connect=lambda: told.put_nowait(None), connect_error=told.put_nowait) as client:
        await client.connect(chat.url, **TRANSPORTS[transports], **options)
        assert await told.get() is None
        await asyncio.to_thread(chat.server.stop)
        await asyncio.to_thread(chat.server.start)
        async with asyncio.timeout(PATIENCE_S):
            while isinstance(refused := await told.get(), str):
                pass  # the daemon did not listen yet
            if refused is None:
                assert (await client.call("quien_soy", timeout=PATIENCE_S))["user"] == "py-ana"
        return refused


async def test_a_cookie_in_headers_is_lost_at_reconnection(own_chat: Chat) -> None:
    """C-63: the README warns of it. The client removes the cookie from its options when it opens a WebSocket."""
    refused = await back_after_a_restart(own_chat, "default", headers={"Cookie": f"token={token('py-ana')}"})
    assert refused is not None
    assert refused["data"]["code"] == "token_missing"


async def test_a_token_in_auth_or_from_a_callable_is_sent_at_reconnection(transports: str, own_chat: Chat) -> None:
    """C-01: the two ways that the README shows"""
    by_auth = {"auth": lambda: {"token": token("py-ana")}}
    by_headers = {"headers": lambda: {"Cookie": f"token={token('py-ana')}"}}
    for options in (by_auth, by_headers):
        assert await back_after_a_restart(own_chat, transports, **options) is None
