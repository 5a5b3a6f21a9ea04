"""The unix socket: who may connect, and what happens to its file."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
from pathlib import Path

import aiohttp
import pytest
import socketio

from chatd.base.errors import ConfigError
from chatd.cli import EXIT_CONFIG, EXIT_FAILED
from chatd.listen.config import ListenConfig
from chatd.listen.errors import ListenError
from chatd.listen.unix import UnixSocket
from tests.chat.daemon import PATIENCE_S, complaint, daemon
from tests.chat.people import cookie, enter, token
from tests.listen.served import UnixClient, served


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chatd.sock"


async def test_it_serves_beside_tcp_and_alone(path: Path) -> None:
    async with served(unix=path) as both, UnixClient(path) as client:
        websocket = await client.websocket()
        await websocket.send("4hola")
        assert await websocket.receive() == "4hola"
        assert both.port() > 0
    async with served(unix=path, tcp=False) as alone, UnixClient(path) as client:
        assert (await client.polling()).sid
        assert [where.keys() for where in alone.listening.addresses] == [{"unix"}]


@pytest.mark.parametrize("mode", ["600", "0660", "666"])
def test_its_file_has_the_configured_permissions(path: Path, mode: str) -> None:
    opened = UnixSocket(path, ListenConfig(unix_mode=mode).unix_permissions)
    assert stat.S_IMODE(path.stat().st_mode) == int(mode, 8)
    assert list(path.parent.iterdir()) == [path]
    opened.socket.close()
    opened.remove()
    assert not path.exists()


@pytest.mark.parametrize("mode", ["660 ", "888", "rw", "", "1777"])
def test_invalid_permissions_are_refused(mode: str) -> None:
    with pytest.raises(ConfigError, match="unix_mode"):
        ListenConfig(unix_mode=mode)


def test_a_socket_without_a_listener_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
        left_behind.listen()
    opened = UnixSocket(path, 0o600)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    opened.socket.close()


def test_a_socket_with_a_listener_is_left_alone(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(ListenError, match="another process does"):
            UnixSocket(path, 0o600)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_socket_whose_queue_is_full_is_left_alone(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as client:
        other.bind(str(path))
        other.listen(0)
        client.connect(str(path))
        with pytest.raises(ListenError, match="it may be in use"):
            UnixSocket(path, 0o600)


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_a_file_that_is_no_socket_is_left_alone(path: Path, kind: str) -> None:
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(ConfigError, match="exists and is no socket: remove it, or choose another path"):
        UnixSocket(path, 0o600)
    assert path.is_symlink() or path.exists()


def test_an_impossible_path_is_named_in_the_error(path: Path) -> None:
    with pytest.raises(ListenError, match="No such file"):
        UnixSocket(path / "missing" / "chatd.sock", 0o600)
    with pytest.raises(ConfigError, match="longer than 107 bytes"):
        UnixSocket(path.with_name("x" * 107), 0o600)
    assert list(path.parent.iterdir()) == []


def test_the_file_of_a_successor_is_left_alone(path: Path) -> None:
    first = UnixSocket(path, 0o600)
    first.socket.close()
    second = UnixSocket(path, 0o600)
    first.remove()
    assert path.exists()
    second.socket.close()
    second.remove()
    assert not path.exists()


def exists(path: Path) -> bool:
    return path.exists()


async def test_the_daemon_removes_its_file_and_replaces_that_of_a_killed_one(tmp_path: Path, path: Path) -> None:
    async with daemon(tmp_path / "a.db", "--unix", path) as killed:
        killed.process.kill()
        await killed.process.wait()
    assert exists(path)
    async with daemon(tmp_path / "b.db", "--unix", path) as chatd:
        async with UnixClient(path, "/socket.io/") as client:
            ana = await enter(client, "ana")
            assert (await ana.write("root", "hola"))["ok"] is True
            code, line = await complaint("--db", tmp_path / "c.db", "--unix", path)
            assert (code, line.startswith(f"chatd: cannot listen on {path}: another process")) == (EXIT_FAILED, True)
        chatd.process.send_signal(signal.SIGTERM)
        assert await chatd.ended() == 0
        assert chatd.faults == []
    assert not exists(path)


async def test_without_tcp_there_must_be_a_unix_socket() -> None:
    code, line = await complaint("--no-tcp")
    assert code == EXIT_CONFIG
    assert "give --unix PATH" in line


async def test_a_proxy_at_the_unix_socket_forwards_the_client_address(tmp_path: Path, path: Path) -> None:
    """L-02, L-04"""
    flags = ("--unix", path, "--trusted-proxy", "unix", "--max-connections-per-address", "1")
    async with daemon(tmp_path / "chatd.db", *flags) as chatd, UnixClient(path, "/socket.io/") as client:
        new = {"EIO": "4", "transport": "polling"}
        statuses = [
            (await client.request("GET", new, {"X-Forwarded-For": address})).status
            for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1")
        ]
        assert statuses == [200, 200, 429]
        chatd.terminate()
        assert await chatd.ended() == 0
        opened = [line["address"] for line in chatd.log if line["message"] == "session open"]
        assert opened == ["192.0.2.1", "192.0.2.2"]


async def test_python_socketio_chats_over_it(tmp_path: Path, path: Path) -> None:
    async with (
        daemon(tmp_path / "chatd.db", "--unix", path),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(os.fspath(path))) as http,
    ):
        client = socketio.AsyncClient(http_session=http)
        await client.connect("http://localhost", headers=cookie(token("ana")))
        async with asyncio.timeout(PATIENCE_S):
            answer = await client.call("mensaje_privado", {"para": "root", "mensaje": "hola"})
        assert answer["ok"] is True
        assert client.transport() == "websocket"
        await client.disconnect()
