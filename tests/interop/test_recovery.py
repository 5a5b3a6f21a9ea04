"""Connection state recovery with the real client: after a cut connection, and after the daemon was killed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import socketio

from tests.interop.chat import Chat, token, with_cookie
from tests.interop.conftest import TRANSPORTS, Client, running_chat
from tests.interop.node import PATIENCE_S, Driver, JsSocket
from tests.interop.proxy import proxy


@pytest_asyncio.fixture(loop_scope="session")
async def client(drivers: dict[str, Driver], transports: str) -> AsyncIterator[Client]:
    """The first release that recovers is 4.6."""
    yield Client(drivers["4.8"], transports)
    await drivers["4.8"].forget()


@pytest.fixture
def recovering(tmp_path: Path) -> Iterator[Chat]:
    with running_chat(tmp_path, "--recovery", "on", "--message-rate", "0", "--max-chars-per-minute", "0") as chat:
        yield chat


async def enter(client: Client, url: str, user: str, rol: str = "user", **options: Any) -> tuple[JsSocket, str]:
    """A connected socket, after its upgrade, and its id."""
    socket = await client.open(url, **with_cookie(token(user, rol)), reconnectionDelayMax=100, **options)
    connected = await socket.connected()
    assert connected["recovered"] is False
    if client.transports == "default":
        await socket.upgraded()
    return socket, connected["id"]


async def write(socket: JsSocket, para: str, *texts: str) -> list[str]:
    """Send messages and wait until each is acknowledged. Returns their ids."""
    return [(await socket.ask("mensaje_privado", {"para": para, "mensaje": text}))[0]["id"] for text in texts]


async def texts(socket: JsSocket, count: int) -> list[str]:
    """The next messages; checks that their ids ascend."""
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
    """C-29, C-30: also messages that were stored while the client was away"""
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


@pytest.mark.parametrize("release", ["3.1", "4.0"])
async def test_clients_without_recovery_ignore_the_offset_argument(
    drivers: dict[str, Driver], transports: str, release: str, recovering: Chat
) -> None:
    """C-28: JavaScript ignores additional arguments of a handler."""
    old = Client(drivers[release], transports)
    async with proxy(recovering.server.port) as between:
        ana, _ = await enter(old, between.url, "ana")
        between.interrupt()
        await ana.hear(":disconnect")
        between.restore()
        assert (await ana.hear(":connect"))[0]["recovered"] is False
        [[message_id]] = [await write(ana, "ana", "a note")]
        assert await ana.hear("mensaje_recibido") == [{"de": "ana", "mensaje": "a note"}, message_id]
    await drivers[release].forget()


async def test_a_recovery_that_is_cut_in_the_middle_is_recovered_again(client: Client, recovering: Chat) -> None:
    """C-31: no message is delivered twice."""
    many = [f"message {number} " + "x" * 2_000 for number in range(150)]
    async with proxy(recovering.server.port) as between:
        ana, ana_id = await enter(client, between.url, "ana")
        root, _ = await enter(client, recovering.url, "root", "admin")
        between.interrupt()
        await asyncio.gather(*(write(root, "ana", text) for text in many))
        between.lose(b"message 70 ")
        between.restore()
        await between.lost()
        between.restore()
        await ana.hear(":disconnect")
        while ana.heard("mensaje_recibido") < len(many):
            connected = (await ana.hear(":connect"))[0]
            assert (connected["id"], connected["recovered"]) == (ana_id, True)
            while (await ana.hear("al_dia"))[0]["completo"] is False:
                """The first event on the new connection."""
        assert sorted(await texts(ana, len(many))) == sorted(many)
        assert ana.heard("mensaje_recibido") == 0


async def test_any_client_may_send_the_last_id_it_has(transports: str, own_chat: Chat) -> None:
    """C-34: python-socketio, without the setting."""
    ana_s, root_s = ({"Cookie": f"token={text}"} for text in (token("ana"), token("root", "admin")))
    async with socketio.AsyncSimpleClient() as root:
        await root.connect(own_chat.url, headers=root_s, **TRANSPORTS[transports])

        async def written(text: str) -> str:
            return str((await root.call("mensaje_privado", {"para": "ana", "mensaje": text}))["id"])

        ids = [await written(text) for text in ("one", "two", "three")]
        async with socketio.AsyncSimpleClient() as ana:
            await ana.connect(own_chat.url, headers=ana_s, auth={"desde": ids[0]}, **TRANSPORTS[transports])
            heard = [await ana.receive(timeout=PATIENCE_S) for _ in range(3)]
            assert heard == [
                ["mensaje_recibido", {"de": "root", "mensaje": "two"}],
                ["mensaje_recibido", {"de": "root", "mensaje": "three"}],
                ["al_dia", {"ultimo": ids[2], "completo": True}],
            ]
            await written("four")
            assert await ana.receive(timeout=PATIENCE_S) == ["mensaje_recibido", {"de": "root", "mensaje": "four"}]
