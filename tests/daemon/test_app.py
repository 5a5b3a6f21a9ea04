"""The assembled daemon: every layer gets its settings, and the daemon listens where it is configured.

Start and stop as a process: tests/chat/test_start.py and test_stop.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatd.auth import AuthConfig
from chatd.base.errors import ConfigError
from chatd.chat.messages.ids import parts
from chatd.daemon.config import Config
from chatd.daemon.floors import build
from chatd.daemon.opening import Opened
from chatd.store.base import MessageId
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore
from tests.chat.daemon import daemon
from tests.chat.people import SECRET, chatting, token
from tests.conformance.wire import NO_CODE, Client


async def test_engineio_gets_its_settings(tmp_path: Path) -> None:
    settings = {"path": "/chat", "ping_interval": "7.5", "ping_timeout": "0.125", "max_payload": "2000"}
    async with chatting(tmp_path / "chatd.db", **settings) as chat:
        for path in ("/chat", "/chat/"):
            async with Client(chat.client.host, chat.client.port, path) as client:
                session = await client.polling()
            assert {**session.opened, "sid": ""} == {
                "sid": "",
                "upgrades": ["websocket"],
                "pingInterval": 7500,
                "pingTimeout": 125,
                "maxPayload": 2000,
            }


async def test_socketio_gets_its_settings(tmp_path: Path) -> None:
    """S-08, S-09"""
    async with chatting(tmp_path / "chatd.db", max_depth="4", max_attachments="1") as chat:
        ana = await chat.enter("ana")
        await ana.emit("x", [[[1]]])
        assert await ana.inbox() == []
        await ana.emit("x", [[[[1]]]])
        assert await ana.websocket.closed() == NO_CODE
        eva = await chat.enter("eva")
        await eva.websocket.send('452-["x",{"_placeholder":true,"num":0}]')
        assert await eva.websocket.closed() == NO_CODE


async def test_the_chat_gets_its_settings(tmp_path: Path) -> None:
    """C-18"""
    async with chatting(tmp_path / "chatd.db", node="1023") as chat:
        stored = await (await chat.enter("ana")).write("root", "hola")
        assert parts(MessageId(int(stored["id"]))).node == 1023


async def test_new_ids_are_above_the_last_id_of_the_database(tmp_path: Path) -> None:
    """C-18: as after a clock that was fifty years ahead."""
    last = MessageId(2**62)
    async with chatting(tmp_path / "chatd.db") as chat:
        columns, values = "id, de, para, mensaje, fecha, supervisado", f"{last}, 'ana', 'root', 'hola', 0, 1"
        await chat.sqlite(f"INSERT INTO mensajes ({columns}) VALUES ({values})")
    async with chatting(tmp_path / "chatd.db") as chat:
        stored = await (await chat.enter("ana")).write("root", "hola")
        assert int(stored["id"]) > last


async def test_a_daemon_without_a_usable_key_does_not_start(tmp_path: Path) -> None:
    config = Config(auth=AuthConfig(jwt_secret="short"), store=StoreConfig(db=str(tmp_path / "chatd.db")))
    with pytest.raises(ConfigError, match="has 5 bytes"):
        build(config, Opened(SqliteStore(config.store), None))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
async def test_the_log_names_the_address_of_the_listener(tmp_path: Path, host: str) -> None:
    async with daemon(tmp_path / "chatd.db", "--host", host, "--path", "/chat/") as chatd:
        session = await chatd.client.polling({"Cookie": f"token={token('ana')}"})
        await session.post("40")
        [joined] = await session.poll()
        assert json.loads(joined.removeprefix("40")).keys() == {"sid"}
        chatd.terminate()
        assert await chatd.ended() == 0
        listening = [line for line in chatd.log if line["message"] == "listening"]
        assert listening
        assert all(line["path"] == "/chat/" for line in listening)
        assert chatd.faults == []


async def test_a_secret_is_never_logged(tmp_path: Path) -> None:
    async with daemon(tmp_path / "chatd.db", "--log-level", "debug") as chatd:
        ana = await chatd.enter("ana")
        await ana.write("root", "between us")
        await ana.websocket.send("garbage")
        await ana.last_words()
        chatd.terminate()
        assert await chatd.ended() == 0
        said = json.dumps(chatd.log)
        assert len(chatd.log) > 4
        for secret in (SECRET, token("ana")[:20], "between us", ana.websocket.sid):
            assert secret not in said
