"""The option `retries` of the real client, with a `cid`: connections are cut and daemons killed between a message and
its acknowledgement; the result is one row, one acknowledgement and one delivery.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.interop.chat import Chat, token, with_cookie
from tests.interop.conftest import Client, running_chat
from tests.interop.node import Driver, JsSocket
from tests.interop.proxy import proxy
from tests.store.rig import locked

# The first release with `retries` is 4.6. It sends one message at a time and waits for its acknowledgement.
RETRYING: Final[dict[str, Any]] = {"retries": 50, "ackTimeout": 2_000, "reconnectionDelayMax": 100}

STORED: Final = b'"ok":true'


@pytest_asyncio.fixture(loop_scope="session")
async def client(drivers: dict[str, Driver], transports: str) -> AsyncIterator[Client]:
    yield Client(drivers["4.8"], transports)
    await drivers["4.8"].forget()


async def enter(client: Client, url: str, user: str, rol: str = "user", **options: Any) -> JsSocket:
    socket = await client.connected(url, **with_cookie(token(user, rol)), **options)
    if client.transports == "default":
        await socket.upgraded()
    return socket


async def send(socket: JsSocket, mensaje: str) -> dict[str, Any]:
    """The acknowledgement of a message whose `cid` is its text. Fails if the client gives up."""
    error, answer = await socket.ask("mensaje_privado", {"para": "root", "mensaje": mensaje, "cid": mensaje})
    assert error is None
    assert answer["ok"] is True
    return dict(answer)


def stored_once(chat: Chat, mensaje: str, answer: dict[str, Any]) -> bool:
    return [str(row["id"]) for row in chat.rows(mensaje)] == [answer["id"]]


async def test_a_cut_before_the_acknowledgement_makes_no_duplicate(client: Client, own_chat: Chat) -> None:
    """C-22"""
    async with proxy(own_chat.server.port) as between:
        admin = await enter(client, own_chat.url, "root", "admin")
        user = await enter(client, between.url, "ana", **RETRYING)
        between.lose(STORED)
        asked = asyncio.ensure_future(send(user, "hola"))
        await between.lost()
        assert len(own_chat.rows("hola")) == 1
        between.restore()
        assert stored_once(own_chat, "hola", await asked)
        await send(user, "adiós")
        assert [await admin.hear("mensaje_recibido") for _ in range(2)] == [
            [{"de": "ana", "mensaje": "hola"}],
            [{"de": "ana", "mensaje": "adiós"}],
        ]


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
async def test_a_daemon_killed_after_storing_the_row_makes_no_duplicate(
    client: Client, own_chat: Chat, by: signal.Signals
) -> None:
    """C-22: the next daemon finds the row that the killed one stored."""
    async with proxy(own_chat.server.port) as between:
        admin = await enter(client, own_chat.url, "root", "admin")
        user = await enter(client, between.url, "ana", **RETRYING)
        between.lose(STORED)
        asked = asyncio.ensure_future(send(user, "hola"))
        await between.lost()
        await asyncio.to_thread(own_chat.server.stop, by)
        await asyncio.to_thread(own_chat.server.start)
        await admin.hear(":reconnect")
        between.restore()
        assert stored_once(own_chat, "hola", await asked)
        await send(user, "adiós")
        assert await admin.hear("mensaje_recibido") == [{"de": "ana", "mensaje": "hola"}]
        assert await admin.hear("mensaje_recibido") == [{"de": "ana", "mensaje": "adiós"}]


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_a_daemon_killed_before_storing_the_row_loses_nothing(
    client: Client, tmp_path: Path, deliver: str
) -> None:
    """C-24: a message that was delivered and not stored is delivered again."""
    hola: list[Any] = [{"de": "ana", "mensaje": "hola"}]
    with running_chat(tmp_path, "--busy-timeout", "60", "--deliver", deliver) as chat:
        async with proxy(chat.server.port) as between:
            admin = await enter(client, chat.url, "root", "admin")
            user = await enter(client, between.url, "ana", **RETRYING)
            with locked(chat.db):
                asked = asyncio.ensure_future(send(user, "hola"))
                if deliver == "at_once":
                    assert await admin.hear("mensaje_recibido") == hola
                between.interrupt()
                await asyncio.to_thread(chat.server.stop, signal.SIGKILL)
            await asyncio.to_thread(chat.server.start)
            await admin.hear(":reconnect")
            between.restore()
            assert stored_once(chat, "hola", await asked)
            await send(user, "adiós")
            assert await admin.hear("mensaje_recibido") == hola
            assert await admin.hear("mensaje_recibido") == [{"de": "ana", "mensaje": "adiós"}]


async def test_many_cuts_lose_nothing_duplicate_nothing_and_keep_the_order(client: Client, tmp_path: Path) -> None:
    """C-22, C-23"""
    texts = [f"message {number}" for number in range(60)]
    with running_chat(tmp_path, "--message-rate", "0") as chat:
        async with proxy(chat.server.port) as between:
            admin = await enter(client, chat.url, "root", "admin")
            user = await enter(client, between.url, "ana", **RETRYING)
            asked = [asyncio.ensure_future(send(user, text)) for text in texts]
            for number in range(0, 45, 5):
                between.lose(STORED)
                await between.lost()
                between.restore()
                await asked[number + 3]  # the message whose acknowledgement was lost, or a later one
            answers = await asyncio.gather(*asked)
            assert between.cuts == 9
            heard = [(await admin.hear("mensaje_recibido"))[0]["mensaje"] for _ in texts]
            assert (heard, admin.heard("mensaje_recibido")) == (texts, 0)
            assert all(stored_once(chat, text, answer) for text, answer in zip(texts, answers, strict=True))
            assert [int(answer["id"]) for answer in answers] == sorted(int(answer["id"]) for answer in answers)


class Talker:
    """A client that keeps sending until `last_round` is set; `answers` has the acknowledgements."""

    def __init__(self, socket: JsSocket, user: str) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.acknowledged = asyncio.Event()
        self.last_round = False
        self._socket = socket
        self._user = user

    async def talk(self) -> None:
        while not self.last_round:
            texts = [f"{self._user} says {len(self.answers) + number}" for number in range(5)]
            answers = await asyncio.gather(*(send(self._socket, text) for text in texts))
            self.answers |= zip(texts, answers, strict=True)
            self.acknowledged.set()


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
async def test_restarts_under_load_lose_nothing_and_duplicate_nothing(
    client: Client, tmp_path: Path, by: signal.Signals
) -> None:
    """C-20, C-22: each client has unacknowledged messages whenever the daemon ends."""
    with running_chat(tmp_path, "--message-rate", "0", "--stop-rate", "100") as chat:
        users = [f"user-{number}" for number in range(6)]
        talkers = [Talker(await enter(client, chat.url, user, **RETRYING), user) for user in users]
        async with asyncio.TaskGroup() as group:
            talking = [group.create_task(talker.talk()) for talker in talkers]
            for _ in range(2):
                for talker in talkers:
                    talker.acknowledged.clear()
                for talker in talkers:
                    await talker.acknowledged.wait()
                await asyncio.to_thread(chat.server.stop, by)
                assert not any(one.done() for one in talking)
                await asyncio.to_thread(chat.server.start)
            for talker in talkers:
                talker.last_round = True
        for talker in talkers:
            assert all(stored_once(chat, text, answer) for text, answer in talker.answers.items())
            ids = [int(answer["id"]) for answer in talker.answers.values()]
            assert ids == sorted(ids)
