"""Connection state recovery with the real client: cut, away, back; and the same across the death of the daemon."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.interop.chat import Chat, token, with_cookie
from tests.interop.conftest import Client, running_chat
from tests.interop.node import Driver, JsSocket
from tests.interop.proxy import proxy


@pytest_asyncio.fixture(loop_scope="session")
async def client(drivers: dict[str, Driver], transports: str) -> AsyncIterator[Client]:
    """The first release that recovers is 4.6."""
    yield Client(drivers["4.8"], transports)
    await drivers["4.8"].forget()


@pytest.fixture
def recovering(tmp_path: Path) -> Iterator[Chat]:
    with running_chat(tmp_path, "--recovery", "on", "--message-rate", "0") as chat:
        yield chat


async def enter(client: Client, url: str, user: str, rol: str = "user", **options: Any) -> tuple[JsSocket, str]:
    """A connected socket, done with its upgrade, and its id."""
    socket = await client.open(url, **with_cookie(token(user, rol)), reconnectionDelayMax=100, **options)
    connected = await socket.connected()
    assert connected["recovered"] is False
    if client.transports == "default":
        await socket.upgraded()
    return socket, connected["id"]


async def write(socket: JsSocket, para: str, *texts: str) -> list[str]:
    """Send messages and wait until each is stored; their ids."""
    return [(await socket.ask("mensaje_privado", {"para": para, "mensaje": text}))[0]["id"] for text in texts]


async def texts(socket: JsSocket, count: int) -> list[str]:
    """The next messages, which come with their ids in order."""
    heard = [await socket.hear("mensaje_recibido") for _ in range(count)]
    ids = [int(message_id) for _, message_id in heard]
    assert ids == sorted(set(ids))
    return [message["mensaje"] for message, _ in heard]


async def back(socket: JsSocket) -> dict[str, Any]:
    """The next `connect`."""
    await socket.hear(":disconnect")
    connected: dict[str, Any] = (await socket.hear(":connect"))[0]
    return connected


async def test_a_socket_that_was_cut_is_recovered_with_what_it_missed(client: Client, recovering: Chat) -> None:
    """C-28, C-31; R01"""
    async with proxy(recovering.server.port) as between:
        ana, ana_id = await enter(client, between.url, "ana")
        root, _ = await enter(client, recovering.url, "root", "admin")
        await write(root, "ana", "before")
        assert await texts(ana, 1) == ["before"]
        between.interrupt()
        await write(root, "ana", "one", "two")
        await write(root, "eva", "not for ana")
        await write(root, "ana", "three")
        between.restore()
        connected = await back(ana)
        assert (connected["id"], connected["recovered"]) == (ana_id, True)
        await write(root, "ana", "after")
        assert await texts(ana, 4) == ["one", "two", "three", "after"]
        assert ana.heard("mensaje_recibido") == 0


async def test_a_socket_is_recovered_before_its_first_message(client: Client, recovering: Chat) -> None:
    """C-35"""
    async with proxy(recovering.server.port) as between:
        ana, ana_id = await enter(client, between.url, "ana")
        [told, offset] = await ana.hear("al_dia")
        assert (told, offset) == ({"ultimo": offset, "completo": False}, offset)
        between.interrupt()
        root, _ = await enter(client, recovering.url, "root", "admin")
        [last] = await write(root, "ana", "the first")
        between.restore()
        connected = await back(ana)
        assert (connected["id"], connected["recovered"]) == (ana_id, True)
        assert await texts(ana, 1) == ["the first"]
        assert await ana.hear("al_dia") == [{"ultimo": last, "completo": True}, last]


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
async def test_sockets_are_recovered_by_the_next_daemon(
    client: Client, tmp_path: Path, by: signal.Signals, deliver: str
) -> None:
    """C-29, C-30: what was missed while nobody served, too."""
    with running_chat(tmp_path, "--recovery", "on", "--message-rate", "0", "--deliver", deliver) as chat:
        async with proxy(chat.server.port) as between:
            ana, ana_id = await enter(client, between.url, "ana")
            root, root_id = await enter(client, chat.url, "root", "admin")
            await write(root, "ana", "before")
            assert await texts(ana, 1) == ["before"]
            between.interrupt()
            await write(root, "ana", "missed")
            await asyncio.to_thread(chat.server.stop, by)
            await asyncio.to_thread(chat.server.start)
            connected = await back(root)
            assert (connected["id"], connected["recovered"]) == (root_id, True)
            await write(root, "ana", "missed again")
            between.restore()
            connected = await back(ana)
            assert (connected["id"], connected["recovered"]) == (ana_id, True)
            await write(root, "ana", "after")
            assert await texts(ana, 3) == ["missed", "missed again", "after"]
            assert ana.heard("mensaje_recibido") == 0
