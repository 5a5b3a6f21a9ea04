"""The API's listener under attack: too many connections, slow connections, and smuggled requests."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.api.served import Api, System, add_key, serving_api
from tests.conformance.engineio.test_framing import CODINGS, HEADS, TRAILERS, refused
from tests.conformance.wire import Answer, chunk, request_bytes

HEAD_LIMIT = 16_384


def smuggled(api: Api) -> bytes:
    """A request that an attacker tries to smuggle through a proxy with another client's key."""
    headers = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json"}
    return request_bytes("POST", "/v1/mensajes", headers, b'{"para":"ana","mensaje":"smuggled"}')


async def messages(bot: System) -> list[str]:
    page = await bot.get("/v1/conversaciones/ana/mensajes")
    return [message["mensaje"] for message in page["mensajes"]]


def is_busy(answer: Answer) -> bool:
    return (answer.status, answer.header("retry-after"), answer.header("connection")) == (503, "10", "close")


@pytest.mark.parametrize("flag", ["--api-max-connections", "--api-max-connections-per-address"])
async def test_connections_over_the_limit_are_refused_and_open_ones_stay(tmp_path: Path, flag: str) -> None:
    """A-23"""
    async with serving_api(tmp_path, flag, "2", "--internal", "127.0.0.1:0") as api:
        bot, other = await api.system(), await api.system()
        for _ in range(3):
            assert is_busy(await (await api.system()).ask("GET", "/v1/no_leidos"))
        counts = (await bot.get("/v1/cuentas"))["cuentas"]
        [refusals] = [
            each["valor"]
            for each in counts
            if each["etiquetas"] == {"by": "api_http", "reason": flag.removeprefix("--api-").replace("-", "_")}
        ]
        assert refusals == 3
        other.connection.abort()
        await other.connection.ended()
        async with asyncio.timeout(20):
            while (await (await api.system()).ask("GET", "/v1/no_leidos")).status != 200:
                pass


async def test_a_key_has_a_limit_of_connections(tmp_path: Path) -> None:
    """A-27: the connection over the limit is answered and closed; other keys are not affected."""
    other = add_key(tmp_path / "keys", "other")
    async with serving_api(tmp_path, "--api-max-connections-per-key", "2") as api:
        first, second = await api.system(), await api.system()
        for system in (first, second, first):
            await system.get("/v1/no_leidos")
        third = await api.system()
        answer = await third.ask("GET", "/v1/no_leidos")
        assert (answer.status, answer.json()["code"]) == (429, "too_many_connections_of_key")
        assert (answer.header("retry-after"), answer.header("connection")) == ("10", "close")
        assert await third.connection.rest() == b""
        await (await api.system(other)).get("/v1/no_leidos")
        first.connection.abort()
        async with asyncio.timeout(20):
            while (await (await api.system()).ask("GET", "/v1/no_leidos")).status != 200:
                pass


async def test_a_connection_counts_for_the_key_that_used_it_last(tmp_path: Path) -> None:
    """A-27: as behind a proxy that reuses its connections."""
    other = add_key(tmp_path / "keys", "other")
    async with serving_api(tmp_path, "--api-max-connections-per-key", "1") as api:
        shared = await api.client.connect()
        for key in (api.key, other, api.key, other):
            await System(shared, key).get("/v1/no_leidos")
        await (await api.system()).get("/v1/no_leidos")


async def test_a_request_that_comes_too_slowly_is_answered_408(tmp_path: Path) -> None:
    """A-23"""
    parts = {
        "half a line": b"GET /v1/no_lei",
        "half a head": b"GET /v1/no_leidos HTTP/1.1\r\nHost: a\r\n",
        "half a body": b"POST /v1/mensajes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\n"
        b'Content-Type: application/json\r\nContent-Length: 90\r\n\r\n{"para":',
        "half a chunk": b"POST /v1/mensajes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{",
    }
    async with serving_api(tmp_path, "--request-timeout", "0.3") as api:

        async def send(part: bytes) -> int:
            connection = await api.client.connect()
            connection.write(part.replace(b"%b", api.key.encode()))
            return await refused(connection)

        assert await asyncio.gather(*map(send, parts.values())) == [408] * len(parts)
        assert await messages(await api.system()) == []


async def test_what_http_refuses_is_a_problem_document_with_an_id_that_the_log_shows(tmp_path: Path) -> None:
    """A-33"""
    head = b"GET /v1/no_leidos HTTP/1.1\r\nHost: a\r\n"
    requests = {
        (400, "request_invalid"): b"GET\r\n\r\n",
        (408, "request_timeout"): head,
        (431, "head_too_long"): head + b"X: %b\r\n\r\n" % (b"x" * HEAD_LIMIT),
        (501, "coding_not_supported"): head + b"Transfer-Encoding: gzip\r\n\r\n",
    }
    async with serving_api(tmp_path, "--request-timeout", "1", "--api-log-answers") as api:
        for why, request in requests.items():
            connection = await api.client.connect()
            connection.write(request)
            answer = await connection.answer()
            assert await connection.rest() == b""
            await is_explained(answer, why, api)


async def test_a_connection_too_many_gets_a_problem_document(tmp_path: Path) -> None:
    """A-23, A-33"""
    async with serving_api(tmp_path, "--api-max-connections", "1", "--api-log-answers") as api:
        await (await api.system()).get("/v1/no_leidos")
        answer = await (await api.system()).ask("GET", "/v1/no_leidos")
        assert is_busy(answer)
        await is_explained(answer, (503, "full"), api)


async def is_explained(answer: Answer, why: tuple[int, str], api: Api) -> None:
    said = answer.json()
    assert (answer.status, answer.header("content-type")) == (why[0], "application/problem+json")
    assert (said["status"], said["code"]) == why
    made = answer.header("x-request-id")
    assert said["instance"] == f"urn:chatd:request:{made}"
    while (line := await api.chatd.logged("answered"))["request_id"] != made:
        pass
    assert (line["level"], line["status"]) == ("info", why[0])


async def test_a_request_for_a_head_is_refused_by_one(api: Api) -> None:
    """A-33: the length is that of the document, which is not sent."""
    connection = await api.client.connect()
    connection.write(b"HEAD /v1/no_leidos HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n" % (b"x" * HEAD_LIMIT))
    head = await connection.rest()
    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in head
    assert head.endswith(b"\r\n\r\n")


async def test_a_head_that_is_too_long_is_answered_431(api: Api, bot: System) -> None:
    """A-23"""
    for head in (f"GET /{'x' * HEAD_LIMIT} HTTP/1.1\r\nHost: a\r\n", f"GET / HTTP/1.1\r\nX: {'x' * HEAD_LIMIT}\r\n"):
        connection = await api.client.connect()
        connection.write(head.encode())
        assert await refused(connection) == 431
    assert (await bot.ask("GET", "/v1/no_leidos", X="x" * 8_000)).status == 200


async def test_unfinished_bodies_have_a_bound(tmp_path: Path) -> None:
    """A-23: the bound is for each address."""
    async with serving_api(tmp_path, "--max-unfinished-per-client", "100000") as api:
        bot = await api.system()
        headers = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json", "Content-Length": "90000"}
        first, second = await api.client.connect(), await api.client.connect()
        for connection in (first, second):
            connection.write(request_bytes("POST", "/v1/mensajes", headers) + b" " * 60_000)
        ended = {asyncio.ensure_future(refused(each)): each for each in (first, second)}
        done, waiting = await asyncio.wait(ended, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result() for task in done] == [503]
        [left] = waiting
        left.cancel()
        assert (await bot.send("ana", "hola"))["ok"] is True


async def test_a_request_with_an_ambiguous_length_is_refused_and_the_rest_is_dropped(api: Api, bot: System) -> None:
    """A-23, E-46"""
    for name, head in {**HEADS, **CODINGS}.items():
        connection = await api.client.connect()
        connection.write(head.encode("latin-1") + smuggled(api))
        assert await refused(connection) == (501 if name in CODINGS else 400), name
    assert await messages(bot) == []


async def test_malformed_chunked_bodies_are_refused(api: Api, bot: System) -> None:
    """A-23, E-46"""
    chunked = {
        "Authorization": f"Bearer {api.key}", "Content-Type": "application/json", "Transfer-Encoding": "chunked"
    }  # fmt: skip
    for name, trailer in TRAILERS.items():
        connection = await api.client.connect()
        connection.write(request_bytes("POST", "/v1/mensajes", chunked) + chunk(b"{") + trailer + smuggled(api))
        assert await refused(connection) == 400, name
    assert await messages(bot) == []


async def test_unambiguous_chunks_and_pipelined_requests_are_served(api: Api, bot: System) -> None:
    """A-23: chunks, extensions, trailers, pipelined requests, and bytes after a request that closes."""
    chunked = {
        "Authorization": f"Bearer {api.key}", "Content-Type": "application/json", "Transfer-Encoding": "Chunked"
    }  # fmt: skip
    connection = await api.client.connect()
    connection.write(request_bytes("POST", "/v1/mensajes", chunked))
    connection.write(b'9;name=value\r\n{"para":"\r\n' + chunk(b'ana","mensaje":"chunks"}') + b"0\r\nX: y\r\n\r\n")
    assert (await connection.answer()).status == 201
    connection.write(smuggled(api) * 20)
    assert [(await connection.answer()).status for _ in range(20)] == [201] * 20
    assert await messages(bot) == ["chunks", *["smuggled"] * 20]
