"""TLS, with real handshakes."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import socketio

from chatd.base.errors import ConfigError
from chatd.cli import EXIT_CONFIG
from chatd.engineio.config import EngineConfig
from chatd.engineio.connections import connections_of
from chatd.engineio.limits import Limit
from chatd.listen.limits import ListenLimit
from chatd.listen.listener import MAX_HANDSHAKES_PER_ADDRESS
from chatd.listen.tls import READ_BUFFER_BYTES, Tls
from tests.chat.daemon import PATIENCE_S, complaint, daemon
from tests.chat.people import cookie, token
from tests.conformance.wire import TIMEOUT_S, Client, text_frame
from tests.listen.certificates import make_certificate, subject_of, trusting
from tests.listen.served import PATH, Served, TlsClient, served


async def test_messages_large_and_many_come_back_in_order(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), trusting(cert)) as client:
        websocket = await client.websocket()
        messages = [f"4{number} {'x' * (900_000 if number % 500 == 0 else 50)}" for number in range(3_000)]

        async def talk() -> None:
            for message in messages:
                await websocket.send_raw(text_frame(message))

        talking = asyncio.create_task(talk())
        assert [await websocket.receive() for _ in messages] == messages
        await talking
        await websocket.send(bytes(range(256)) * 3_000)
        assert await websocket.receive() == bytes(range(256)) * 3_000


async def test_a_connection_has_a_buffer_of_one_record(tmp_path: Path) -> None:
    """asyncio's has sixteen. chatd lowers that by an internal attribute, which a new Python release may ignore."""
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), trusting(cert)) as client:
        await client.polling()
        (connection,) = one.engine.connections._open
        assert len(cast(Any, connection)._ssl_protocol._ssl_buffer) == READ_BUFFER_BYTES


async def test_polling_and_the_upgrade_work_over_tls(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), trusting(cert)) as client:
        session = await client.polling()
        pending = await session.begin_get()
        await session.post("4hola")
        assert await pending.packets() == ["4hola"]
        websocket = await session.upgrade()
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        await websocket.send("5")
        await websocket.send("4after")
        assert await websocket.receive() == "4after"


async def test_errors_are_answered_over_tls(tmp_path: Path) -> None:
    """E-08, E-17"""
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), trusting(cert)) as client:
        websocket = await client.websocket()
        await websocket.send_frame(3, b"")
        assert await websocket.closed() == 1002
        connection = await client.connect()
        connection.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000)
        assert (await connection.answer()).status == 431
        assert await connection.rest() == b""
        assert one.engine.refusals.counts[Limit.MAX_HEADER] == 1


async def test_a_client_that_stops_reading_is_cut_off_over_tls(tmp_path: Path) -> None:
    """E-27"""
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), trusting(cert)) as client:
        deaf = await client.websocket()
        session = next(iter(one.engine.sessions.values()))
        for _ in range(400):
            session.send("x" * 50_000)
            await asyncio.sleep(0)
        assert one.engine.refusals.counts[Limit.MAX_QUEUED] == 1
        assert not one.engine.sessions
        deaf.abort()
        assert (await client.polling()).sid


def old_context(certificate: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    """An SSL context for this version only, with any cipher."""
    context = trusting(certificate)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = version
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = version
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_old_versions_are_refused(
    tmp_path: Path, version: ssl.TLSVersion, caplog: pytest.LogCaptureFixture
) -> None:
    """asyncio closes such a connection without a TLS alert."""
    caplog.set_level(logging.DEBUG, "chatd.listen")
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one:
        async with TlsClient(one.port(tls=True), old_context(cert, version)) as client:
            with pytest.raises(ConnectionError):
                await client.connect()
        assert "UNSUPPORTED_PROTOCOL" in caplog.text
        assert one.listening.refusals.counts[ListenLimit.TLS_FAULT] == 1
        async with TlsClient(one.port(tls=True), trusting(cert)) as client:
            assert (await client.polling()).sid


async def test_bytes_that_are_no_tls_end_their_connection_only(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), trusting(cert)) as client:
        websocket = await client.websocket()
        async with Client("127.0.0.1", one.port(tls=True), PATH) as plain:
            connection = await plain.connect()
            connection.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"HTTP" not in await connection.rest()
        await websocket.send("4still here")
        assert await websocket.receive() == "4still here"


async def counted(one: Served, limit: ListenLimit, count: int) -> None:
    """Wait until the server has counted `count`; it may notice a turn later than the client."""
    async with asyncio.timeout(TIMEOUT_S):
        while one.listening.refusals.counts[limit] < count:  # noqa: ASYNC110  # a count rings no bell
            await asyncio.sleep(0)
    assert one.listening.refusals.counts[limit] == count


async def test_an_unfinished_handshake_times_out(tmp_path: Path) -> None:
    """L-09"""
    cert, key = make_certificate(tmp_path, "chatd")
    async with (
        served(tls_cert=cert, tls_key=key, handshake_timeout_s=0.1) as one,
        Client("127.0.0.1", one.port(tls=True), PATH) as silent,
    ):
        assert await (await silent.connect()).rest() == b""
        await counted(one, ListenLimit.TLS_FAULT, 1)


async def test_unfinished_handshakes_are_limited_per_address(tmp_path: Path) -> None:
    """L-09: however many connections are accepted in one turn"""
    cert, key = make_certificate(tmp_path, "chatd")
    async with (
        served(tls_cert=cert, tls_key=key, handshake_timeout_s=60.0) as one,
        Client("127.0.0.1", one.port(tls=True), PATH) as silent,
        TlsClient(one.port(tls=True), trusting(cert)) as client,
    ):
        held = await asyncio.gather(*(silent.connect() for _ in range(MAX_HANDSHAKES_PER_ADDRESS + 5)))
        await counted(one, ListenLimit.TLS_HANDSHAKES, 5)
        with pytest.raises(ConnectionError):
            await client.connect()
        for connection in held:
            connection.abort()
        await counted(one, ListenLimit.TLS_FAULT, MAX_HANDSHAKES_PER_ADDRESS)
        assert (await client.polling()).sid
        assert one.listening.refusals.counts[ListenLimit.TLS_HANDSHAKES] == 6


async def test_plain_and_tls_may_listen_on_different_ports(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "chatd")
    async with (
        served(tls_cert=cert, tls_key=key, tls_port=0) as one,
        TlsClient(one.port(tls=True), trusting(cert)) as secure,
        Client("127.0.0.1", one.port(tls=False), PATH) as plain,
    ):
        assert (await secure.polling()).sid != (await plain.polling()).sid


async def test_the_http_origin_is_not_same_origin_over_tls(tmp_path: Path) -> None:
    """E-14"""
    cert, key = make_certificate(tmp_path, "chatd")
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), trusting(cert)) as client:
        new = {"EIO": "4", "transport": "polling"}
        statuses = [
            (await client.request("GET", new, {"Origin": f"{scheme}://localhost"})).status
            for scheme in ("https", "http")
        ]
        assert statuses == [200, 403]
        assert one.engine.refusals.counts[Limit.ORIGIN] == 1


async def test_a_new_certificate_applies_to_new_connections(tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    cert, key = tmp_path / "live.crt", tmp_path / "live.key"

    def install(pair: tuple[Path, Path]) -> None:
        cert.write_bytes(pair[0].read_bytes())
        key.write_bytes(pair[1].read_bytes())

    install(first)
    context = trusting(first[0], second[0])
    async with served(tls_cert=cert, tls_key=key) as one, TlsClient(one.port(tls=True), context) as client:
        before = await client.websocket()
        install(second)
        one.listening.prepare()()
        await client.websocket()
        key.write_bytes(first[1].read_bytes())
        with pytest.raises(ConfigError, match="the key is not that of the certificate"):
            one.listening.prepare()()
        await client.websocket()
        assert [subject_of(shown) for shown in client.shown] == ["first", "second", "second"]
        await before.send("4still here")
        assert await before.receive() == "4still here"


def test_unusable_files_are_named_in_the_error(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "chatd")
    _, other_key = make_certificate(tmp_path, "other")
    locked_cert, locked_key = make_certificate(tmp_path, "locked", password=b"secret")
    both = tmp_path / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    assert Tls(both, None).context.minimum_version == ssl.TLSVersion.TLSv1_2
    for files, why in [
        ((cert, other_key), "the key is not that of the certificate"),
        ((locked_cert, locked_key), "take one without a password"),
        ((key, cert), "in PEM form are needed"),
        ((cert, None), "in PEM form are needed"),
        ((cert, tmp_path / "missing"), "No such file"),
        ((tmp_path / "missing", key), "No such file"),
    ]:
        with pytest.raises(ConfigError, match=why) as caught:
            Tls(*files)
        assert str(files[0]) in str(caught.value)


async def test_connections_over_the_limit_are_refused_over_tls(tmp_path: Path) -> None:
    """L-01"""
    cert, key = make_certificate(tmp_path, "chatd")
    crowded = EngineConfig(path=PATH, max_connections=1)
    async with (
        served(crowded, tls_cert=cert, tls_key=key) as one,
        TlsClient(one.port(tls=True), trusting(cert)) as client,
    ):
        idle = [await client.connect() for _ in range(connections_of(1))]
        one_more = await client.connect()
        one_more.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(TIMEOUT_S):
            assert (await one_more.answer()).status == 503
        assert len(one.engine.connections) == len(idle) + 1


async def test_python_socketio_connects_by_tls(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "chatd")
    async with (
        daemon(tmp_path / "chatd.db", "--tls-cert", cert, "--tls-key", key) as chatd,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting(cert))) as http,
    ):
        client = socketio.AsyncClient(http_session=http)
        await client.connect(f"https://127.0.0.1:{chatd.client.port}", headers=cookie(token("ana")))
        async with asyncio.timeout(PATIENCE_S):
            answer = await client.call("mensaje_privado", {"para": "root", "mensaje": "hola"})
        assert answer["ok"] is True
        assert client.transport() == "websocket"
        chatd.terminate()
        await client.disconnect()
        assert await chatd.ended() == 0
        assert chatd.faults == []


async def test_a_daemon_with_a_certificate_that_cannot_be_used_does_not_start(tmp_path: Path) -> None:
    cert, _ = make_certificate(tmp_path, "chatd")
    code, line = await complaint("--db", tmp_path / "chatd.db", "--tls-cert", cert)
    assert (code, line.startswith(f"chatd: tls_cert: {cert} cannot be used: ")) == (EXIT_CONFIG, True)
    for flag in ("--tls-key", "--tls-port"):
        code, line = await complaint("--db", tmp_path / "chatd.db", flag, "8443")
        assert (code, line.endswith("give --tls-cert FILE too")) == (EXIT_CONFIG, True)
