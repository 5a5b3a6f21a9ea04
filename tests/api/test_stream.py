"""`GET /v1/eventos`: stored messages as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatd.api.eventstream import EventStream, StalledError
from chatd.api.keys import Scope
from chatd.api.stream import PAGE_ROWS
from chatd.daemon.config import load
from chatd.store.sqlite import SqliteStore
from tests.api.inside import KEY, build_with_api, write_keys
from tests.api.served import Api, System, add_key, serving_api
from tests.chat.people import SECRET
from tests.conformance.wire import request_bytes
from tests.fuzz.memory import MemoryTransport


class Reader:
    """A client of server-sent events."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def block(self) -> dict[str, str]:
        """The fields up to the next empty line; a comment yields no fields."""
        async with asyncio.timeout(10):
            text = (await self._reader.readuntil(b"\n\n")).decode()
        return dict(line.split(": ", 1) for line in text.splitlines() if line and not line.startswith(":"))

    async def event(self) -> tuple[str, Any]:
        """The id and the data of the next event."""
        while "data" not in (found := await self.block()):
            pass
        assert found["event"] == "mensaje"
        return found["id"], json.loads(found["data"])

    async def ended(self) -> None:
        async with asyncio.timeout(10):
            await self._reader.read()


@contextlib.asynccontextmanager
async def following(api: Api, query: str = "", key: str | None = None, **headers: str) -> AsyncIterator[Reader]:
    reader, writer = await asyncio.open_connection(api.host, api.port)
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    head = (
        f"GET /v1/eventos{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key or api.key}\r\n{''.join(lines)}\r\n"
    )
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer
    assert b"Content-Type: text/event-stream\r\n" in answer
    try:
        yield Reader(reader)
    finally:
        writer.transport.abort()


async def test_events_come_in_the_order_of_message_ids(api: Api, bot: System) -> None:
    """A-20"""
    async with following(api) as stream:
        assert await stream.block() == {}
        await bot.get("/v1/no_leidos")
        ids = [(await bot.send("ana", f"m{n}"))["id"] for n in range(5)]
        heard = [await stream.event() for _ in ids]
    assert [position for position, _ in heard] == ids
    assert [data["mensaje"] for _, data in heard] == [f"m{n}" for n in range(5)]
    assert heard[0][1]["supervisado"] is False


async def test_a_reader_that_reconnects_gets_each_event_once(tmp_path: Path) -> None:
    """A-20: also after a SIGKILL of the daemon."""
    async with serving_api(tmp_path, "--api-rate", "0") as api:
        bot = await api.system()
        ids = [(await bot.send("ana", f"m{n}"))["id"] for n in range(250)]
        async with following(api, "?desde=0") as stream:
            first = [(await stream.event())[0] for _ in range(100)]
        api.chatd.process.kill()
        await api.chatd.process.wait()
    (tmp_path / "keys").unlink()
    async with serving_api(tmp_path) as api, following(api, "?desde=0", Last_Event_ID=first[-1]) as stream:
        rest = [(await stream.event())[0] for _ in range(150)]
        ids.append((await (await api.system()).send("ana", "news"))["id"])
        rest.append((await stream.event())[0])
    assert first + rest == ids


async def test_a_key_is_sent_the_events_that_an_admin_of_its_name_may_read(api: Api, bot: System) -> None:
    """A-21"""
    key = add_key(api.keys, "reader", Scope.READ)
    api.chatd.process.send_signal(signal.SIGHUP)
    await api.chatd.logged("reloaded")
    await bot.send("ana", "between bot and ana")
    await bot.send("reader", "for the reader")
    await bot.send("bot", "of a user", de="ana")
    async with following(api, "?desde=0", key) as stream:
        heard = [(await stream.event())[1]["mensaje"] for _ in range(2)]
    assert heard == ["for the reader", "of a user"]


async def test_a_head_request_for_the_stream_ends_at_once(api: Api, bot: System) -> None:
    """A-06: the connection stays open."""
    answer = await bot.ask("HEAD", "/v1/eventos")
    assert (answer.status, answer.header("content-type"), answer.body) == (200, "text/event-stream", b"")
    assert (await bot.ask("HEAD", "/v1/eventos?desde=x")).status == 422
    await bot.get("/v1/no_leidos")


async def test_an_idle_stream_sends_heartbeats_with_its_position(tmp_path: Path) -> None:
    """A-22"""
    async with serving_api(tmp_path, "--api-heartbeat", "0.1") as api:
        stored = await (await api.system()).send("ana", "one")
        async with following(api) as stream:
            assert await stream.block() == {}
            assert await stream.block() == {"id": stored["id"]}
            assert await stream.block() == {"id": stored["id"]}


async def test_a_stream_ends_when_its_key_is_removed(tmp_path: Path) -> None:
    """A-22"""
    async with serving_api(tmp_path, "--api-heartbeat", "0.1") as api, following(api) as stream:
        api.keys.write_text("")
        api.chatd.process.send_signal(signal.SIGHUP)
        await stream.ended()


async def test_streams_over_the_limit_are_refused(tmp_path: Path) -> None:
    """A-22"""
    async with serving_api(tmp_path, "--api-max-streams", "1") as api:
        bot = await api.system()
        async with following(api) as stream:
            await stream.block()
            answer = await bot.ask("GET", "/v1/eventos")
            assert (answer.status, answer.json()["code"]) == (503, "too_many_streams")
        assert (await bot.ask("GET", "/v1/eventos?desde=x")).json()["code"] == "desde_invalid"


async def test_a_stalled_reader_does_not_delay_other_readers(api: Api, bot: System) -> None:
    """A-20"""
    async with following(api):
        for _ in range(10):
            many = [{"para": "ana", "mensaje": "x" * 9_000} for _ in range(100)]
            assert (await bot.ask("POST", "/v1/mensajes/lote", {"mensajes": many})).status == 200
        async with following(api) as other:
            await other.block()
            await bot.get("/v1/no_leidos")
            await bot.send("ana", "news")
            assert (await other.event())[1]["mensaje"] == "news"


async def test_a_stalled_reader_is_disconnected_and_counted(tmp_path: Path) -> None:
    """A-25: the stream is free for another reader."""
    limits = ("--api-stream-timeout", "0.3", "--api-max-streams", "1", "--api-rate", "0")
    pace = ("--message-rate", "0", "--max-chars-per-minute", "0")
    async with serving_api(tmp_path, *limits, *pace) as api:
        bot = await api.system()
        for _ in range(5):
            many = [{"para": "ana", "mensaje": "x" * 9_000} for _ in range(100)]
            assert (await bot.ask("POST", "/v1/mensajes/lote", {"mensajes": many})).status == 200
        deaf = await api.client.connect(4_096)
        deaf.stop_reading()
        deaf.write(request_bytes("GET", "/v1/eventos?desde=0", {"Authorization": f"Bearer {api.key}"}))
        ended = await api.chatd.logged("stream ended: its reader takes nothing")
        assert (ended["key"], ended["limit"]) == ("bot", "api_stream_timeout")
        async with following(api) as stream:
            await stream.block()


class Draining(MemoryTransport):
    """Its client reads one byte each time that the buffer size is queried, `takes` times at most."""

    def __init__(self, protocol: asyncio.Protocol, takes: int) -> None:
        super().__init__(protocol)
        self.protocol = protocol
        self.takes = takes
        self.waiting = 100

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        if self.takes:
            self.takes -= 1
            self.waiting -= 1
        return self.waiting


async def test_a_slow_reader_is_kept_and_a_stalled_reader_is_disconnected() -> None:
    """A-25"""
    reader = EventStream(0.001, lambda _: None)
    transport = Draining(reader, takes=7)
    with pytest.raises(StalledError):
        await reader.write(b"x")
    assert transport.takes == 0


async def test_a_key_has_a_limit_of_streams(tmp_path: Path) -> None:
    """A-26: other keys are not affected."""
    keys = tmp_path / "keys"
    other = add_key(keys, "other")
    async with serving_api(tmp_path, "--api-max-streams-per-key", "1") as api:
        bot = await api.system()
        async with following(api) as stream, following(api, key=other):
            await stream.block()
            answer = await bot.ask("GET", "/v1/eventos")
            assert (answer.status, answer.json()["code"]) == (429, "too_many_streams_of_key")
            assert answer.header("retry-after") == "10"
        async with asyncio.timeout(20):
            while (await bot.ask("GET", "/v1/eventos?desde=x")).json()["code"] != "desde_invalid":
                pass


class Counting(MemoryTransport):
    """Counts the writes of the server."""

    writes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes += 1
        super().write(data)


async def sent(transport: MemoryTransport, text: bytes) -> None:
    while text not in transport.sent:  # noqa: ASYNC110 - bytes ring no bell
        await asyncio.sleep(0.01)


async def test_a_page_is_one_write(tmp_path: Path) -> None:
    """A-20: after a reset, asyncio warns of each further write, so a page must not be one write for each event."""
    settings = {"db": str(tmp_path / "c.db"), "api": "127.0.0.1:0", "api_keys_file": str(write_keys(tmp_path / "keys"))}
    store = SqliteStore(load(settings, {"CHATD_JWT_SECRET": SECRET}).store)
    _, api = build_with_api(load(settings, {"CHATD_JWT_SECRET": SECRET}), store, await store.open())
    api.start()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    many = json.dumps({"mensajes": [{"para": "ana", "mensaje": f"m{n}"} for n in range(PAGE_ROWS)]}).encode()
    sender, reader = MemoryTransport(api.http._connection()), Counting(api.http._connection())
    async with asyncio.timeout(20):
        sender.receive(request_bytes("POST", "/v1/mensajes/lote", headers, many))
        await sent(sender, b'"respuestas"')
        reader.receive(request_bytes("GET", "/v1/eventos?desde=0", headers))
        await sent(reader, f'"m{PAGE_ROWS - 1}"'.encode())
    assert reader.writes == 2, "the head, and the page"
    for transport in (sender, reader):
        transport.lose()
    await api.close()
    await store.close()
