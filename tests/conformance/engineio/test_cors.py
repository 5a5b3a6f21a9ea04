"""CORS, and the session cookie: rows C01 to C03."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chatd.engineio.limits import Limit
from tests.conformance.engineio.engine import Engine, running
from tests.conformance.wire import Answer, RefusedUpgradeError, handshake_headers, request_bytes

LISTED, FOREIGN = "https://chat.example", "https://evil.example"
NEW = {"EIO": "4", "transport": "polling"}


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    async with running(origin=(LISTED,)) as started:
        yield started


def cors(answer: Answer) -> tuple[str | None, str | None, str | None]:
    names = ("access-control-allow-origin", "access-control-allow-credentials", "vary")
    allowed, credentials, vary = (answer.header(name) for name in names)
    return allowed, credentials, vary


WELCOME = (LISTED, "true", "Origin")
UNKNOWN = (None, "true", "Origin")


async def test_a_listed_page_may_connect_and_read(engine: Engine) -> None:
    """E-14; C01"""
    answer = await engine.client.request("GET", NEW, {"Origin": LISTED})
    assert (answer.status, cors(answer)) == (200, WELCOME)


async def test_a_foreign_page_may_not_connect(engine: Engine) -> None:
    """E-14; C01, CVE-2019-13611; the reference admits it"""
    answer = await engine.client.request("GET", NEW, {"Origin": FOREIGN})
    assert (answer.status, cors(answer)) == (403, UNKNOWN)
    assert answer.json()["code"] == 4
    assert FOREIGN in answer.json()["message"]
    with pytest.raises(RefusedUpgradeError) as caught:
        await engine.client.raw_websocket({"Origin": FOREIGN})
    assert caught.value.answer.status == 403
    assert engine.server.sessions == {}


async def test_the_answer_to_a_foreign_page_does_not_list_origins(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """E-14: only the log has the list"""
    answer = await engine.client.request("GET", NEW, {"Origin": FOREIGN})
    assert (
        answer.json()["message"] == f"origin {FOREIGN} may not connect; start chatd with --origin {FOREIGN} to allow it"
    )
    (told,) = [record.getMessage() for record in caplog.records if FOREIGN in record.getMessage()]
    assert f"(listed: {LISTED}; this server: (any scheme)://localhost)" in told


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_request_embedded_in_another_page_opens_no_session(engine: Engine, site: str) -> None:
    """E-45: an `<img>` sends cookies, and no Origin"""
    answer = await engine.client.request("GET", NEW, {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "image"})
    assert (answer.status, answer.json()["code"]) == (403, 4)
    assert LISTED not in answer.text
    with pytest.raises(RefusedUpgradeError) as caught:
        await engine.client.raw_websocket({"Sec-Fetch-Site": site})
    assert caught.value.answer.status == 403
    assert engine.server.sessions == {}
    assert engine.server.refusals.counts[Limit.ORIGIN] == 2


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_the_own_page_and_a_typed_address_open_a_session(engine: Engine, site: str) -> None:
    """E-45"""
    answer = await engine.client.request("GET", NEW, {"Sec-Fetch-Site": site})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"X-Forwarded-Proto": "wss"}, 101),
        ({"X-Forwarded-Proto": "ws"}, 403),
        ({"X-Forwarded-Proto": "https"}, 101),
        ({"X-Forwarded-Proto": "https, http", "X-Forwarded-For": "198.51.100.7, 127.0.0.2"}, 101),
        ({"X-Forwarded-Proto": "https, http", "X-Forwarded-For": "198.51.100.7, 127.0.0.3"}, 403),
        ({"X-Forwarded-Host": "host:443, inner:80", "X-Forwarded-For": "198.51.100.7, 127.0.0.2", "Host": "x"}, 101),
        ({"X-Forwarded-Host": "host:443, inner:80", "X-Forwarded-For": "198.51.100.7", "Host": "x"}, 403),
        ({"Forwarded": "for=198.51.100.7;host=host;proto=https", "Host": "x"}, 403),
    ],
    ids=str,
)
async def test_the_host_s_own_page_connects_through_its_proxies(said: dict[str, str], status: int) -> None:
    """E-48"""
    async with running(trusted_proxy=("127.0.0.1", "127.0.0.2")) as engine:
        headers = {"Origin": "https://host", "Host": "host", **said}
        connection = await engine.client.connect()
        target = engine.client.target(EIO="4", transport="websocket")
        connection.write(request_bytes("GET", target, {**handshake_headers(), **headers}))
        assert (await connection.answer()).status == status


async def test_two_lines_of_a_header_are_one_list() -> None:
    """E-48: as sent by a proxy that adds its own line to a client's"""
    async with running(trusted_proxy=("127.0.0.1", "127.0.0.2")) as engine:
        connection = await engine.client.connect()
        target = engine.client.target(**NEW)
        forwarded = "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"
        forwarded += "X-Forwarded-For: 127.0.0.2\r\nX-Forwarded-Proto: http\r\n"
        head = f"GET {target} HTTP/1.1\r\nHost: host\r\nOrigin: https://host\r\n{forwarded}\r\n"
        connection.write(head.encode())
        assert (await connection.answer()).status == 200
        (session,) = engine.server.sessions.values()
        assert session.handshake.address == "198.51.100.7"


async def test_a_client_without_an_origin_may_connect(engine: Engine) -> None:
    """E-14; C01"""
    answer = await engine.client.request("GET", NEW)
    assert (answer.status, cors(answer)) == (200, UNKNOWN)
    await engine.client.websocket()


async def test_the_host_s_own_page_may_connect(engine: Engine) -> None:
    """E-14; C01"""
    answer = await engine.client.request("GET", NEW, {"Origin": "https://host:1", "Host": "host:1"})
    assert answer.status == 200


async def test_every_kind_of_answer_has_cors_headers(engine: Engine) -> None:
    """E-14; C01: also errors, 413 and the 101"""
    page = {"Origin": LISTED}
    session = await engine.client.polling(page)
    assert cors(await engine.client.request("GET", {"EIO": "4"}, page)) == WELCOME
    assert cors(await engine.client.request("GET", {**NEW, "sid": "x"}, page)) == WELCOME
    assert cors(await engine.client.request("PUT", {**NEW, "sid": session.sid}, page)) == WELCOME
    assert cors(await session.post("4hello", page)) == WELCOME
    connection = await engine.client.connect()
    assert cors(await connection.request("GET", session.target(), headers=page)) == WELCOME
    too_long = await session.post(b"x" * 1_000_001, page)
    assert (too_long.status, cors(too_long)) == (413, WELCOME)
    websocket = await session.upgrade(page)
    assert cors(websocket.answer) == WELCOME


async def test_without_a_list_there_are_no_cors_headers_and_foreign_pages_are_refused() -> None:
    """E-14; C01, CVE-2020-28481"""
    async with running() as engine:
        answer = await engine.client.request("GET", NEW)
        assert (answer.status, cors(answer)) == (200, (None, None, None))
        answer = await engine.client.request("GET", NEW, {"Origin": FOREIGN})
        assert (answer.status, cors(answer)) == (403, (None, None, None))
        answer = await engine.client.request("OPTIONS", NEW, {"Origin": FOREIGN})
        assert answer.json()["code"] == 2


async def test_a_star_without_credentials() -> None:
    """E-14; C01"""
    async with running(origin=("*",), cors_credentials=False) as engine:
        answer = await engine.client.request("GET", NEW, {"Origin": FOREIGN})
        assert (answer.status, cors(answer)) == (200, ("*", None, None))
        await engine.client.websocket({"Origin": FOREIGN})


async def test_a_preflight_opens_no_session(engine: Engine) -> None:
    """E-14; C02"""
    asked = {
        "Origin": LISTED,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-token",
    }
    answer = await engine.client.request("OPTIONS", NEW, asked)
    assert (answer.status, answer.header("content-length"), answer.body) == (204, "0", b"")
    assert answer.header("access-control-allow-headers") == "content-type,x-token"
    assert answer.header("access-control-allow-methods") == "GET,HEAD,PUT,PATCH,POST,DELETE"
    assert cors(answer) == (LISTED, "true", "Origin, Access-Control-Request-Headers")
    assert engine.server.sessions == {}


async def test_a_connection_stays_open_after_a_preflight(engine: Engine) -> None:
    """C02"""
    connection = await engine.client.connect()
    page = {"Origin": LISTED}
    connection.write(request_bytes("OPTIONS", engine.client.target(**NEW), page))
    connection.write(request_bytes("GET", engine.client.target(**NEW), page))
    assert [(await connection.answer()).status, (await connection.answer()).status] == [204, 200]


async def test_only_the_handshake_sets_the_session_cookie() -> None:
    """C03"""
    async with running(engine_cookie="io") as engine:
        answer = await engine.client.request("GET", NEW)
        (sid,) = engine.server.sessions
        assert answer.header("set-cookie") == f"io={sid}; Path=/; HttpOnly; SameSite=Lax"
        session = await engine.client.polling()
        assert (await session.post("4hello")).header("set-cookie") is None
        assert (await session.get()).header("set-cookie") is None
        assert (await engine.client.websocket()).answer.header("set-cookie") is None
        assert (await session.upgrade()).answer.header("set-cookie") is None
