"""Opening and refusing sessions: rows E01 to E15."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.engineio.engine import Engine, running
from tests.conformance.tables import BROKEN_HANDSHAKES
from tests.conformance.wire import Answer, Client, RefusedUpgradeError, request_bytes, text_frame

CODES = {
    0: "Transport unknown",
    1: "Session ID unknown",
    2: "Bad handshake method",
    3: "Bad request",
}

NEW = {"EIO": "4", "transport": "polling"}


def assert_refused(answer: Answer, code: int) -> None:
    assert (answer.status, answer.json()) == (400, {"code": code, "message": CODES[code]})
    assert answer.header("content-type") == "application/json"


async def refused_upgrade(client: Client, **query: str) -> Answer:
    with pytest.raises(RefusedUpgradeError) as caught:
        await client.raw_websocket({}, early=b"", **query)
    return caught.value.answer


async def test_a_polling_handshake(client: Client) -> None:
    """E-28, E-30; E01"""
    answer = await client.request("GET", NEW)
    assert answer.status == 200
    assert answer.header("content-type") == "text/plain; charset=UTF-8"
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.header("cache-control") == "no-store"
    assert answer.header("set-cookie") is None
    assert answer.header("access-control-allow-origin") is None
    assert answer.text.startswith("0")
    session = await client.polling()
    assert session.opened == {
        "sid": session.sid,
        "upgrades": ["websocket"],
        "pingInterval": 60_000,
        "pingTimeout": 60_000,
        "maxPayload": 1_000_000,
    }


async def test_a_websocket_handshake(client: Client) -> None:
    """E-18, E-28; E01"""
    websocket = await client.websocket()
    assert websocket.opened == {
        "sid": websocket.sid,
        "upgrades": [],
        "pingInterval": 60_000,
        "pingTimeout": 60_000,
        "maxPayload": 1_000_000,
    }


async def test_session_ids_are_long_and_unique(client: Client) -> None:
    """E-28; CVE-2017-16031"""
    sids = [(await client.polling()).sid for _ in range(50)]
    assert {len(sid) for sid in sids} == {20}
    assert all(len({sid[place] for sid in sids}) > 5 for place in range(20))


async def test_a_frame_in_one_write_with_the_handshake_is_not_lost(client: Client) -> None:
    """E-18; Section 1.1; the reference loses it"""
    websocket = await client.websocket(early=text_frame("4early") + text_frame("4bird"))
    assert [await websocket.receive(), await websocket.receive()] == ["4early", "4bird"]


@pytest.mark.parametrize("query", [{}, {"transport": ""}, *({"transport": name} for name in (
    "abc", "__proto__", "constructor", "webtransport", "POLLING"))])  # fmt: skip
async def test_an_unknown_transport(client: Client, query: dict[str, str]) -> None:
    """E-11; E02"""
    assert_refused(await client.request("GET", {"EIO": "4", **query}), 0)


@pytest.mark.parametrize("transport", ["__proto__", "constructor", "abc"])
async def test_an_unknown_transport_on_a_websocket(client: Client, transport: str) -> None:
    """E-11; E03, CVE-2023-31125"""
    assert_refused(await refused_upgrade(client, transport=transport), 0)
    await client.polling()


@pytest.mark.parametrize("sid", ["__proto__", "constructor", "x" * 20, ""])
async def test_an_unknown_session(client: Client, sid: str) -> None:
    """E-11; E04"""
    assert_refused(await client.request("GET", {**NEW, "sid": sid}), 1)
    assert_refused(await client.request("POST", {**NEW, "sid": sid}, body=b"4x"), 1)


async def test_a_node_knows_only_its_own_sessions() -> None:
    """K-01, K-02: nodes 1, 10 and 11, whose numbers have the same beginning"""
    async with running(node=1) as one, running(node=10) as ten, running(node=11) as eleven:
        for here, others in ((one, (ten, eleven)), (ten, (one, eleven)), (eleven, (one, ten))):
            polling, websocket = await here.client.polling(), await here.client.websocket()
            for there in others:
                for method, sid in (("GET", polling.sid), ("POST", polling.sid), ("GET", websocket.sid)):
                    assert_refused(await there.client.request(method, {**NEW, "sid": sid}), 1)
                assert_refused(await refused_upgrade(there.client, transport="websocket", sid=polling.sid), 1)
            await polling.post("4still here")
            assert here.peer(polling.sid).messages == ["still here"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
async def test_only_get_opens_a_session(client: Client, method: str) -> None:
    """E-11; E05"""
    assert_refused(await client.request(method, NEW), 2)
    assert_refused(await client.request(method, NEW, body=b"4hello"), 2)


async def test_a_session_is_not_opened_by_head(client: Client) -> None:
    """E-11; E05"""
    answer = await client.request("HEAD", NEW)
    assert (answer.status, answer.body) == (400, b"")


async def test_a_websocket_without_upgrade(client: Client) -> None:
    """E-11, E-12; E06"""
    assert_refused(await client.request("GET", {"EIO": "4", "transport": "websocket"}), 3)


@pytest.mark.parametrize("query", [{"EIO": "3"}, {"EIO": "5"}, {"EIO": ""}, {}])
async def test_another_revision(client: Client, query: dict[str, str]) -> None:
    """E-13; E07"""
    answer = await client.request("GET", {"transport": "polling", **query})
    assert answer.status == 400
    body = answer.json()
    assert (body.pop("code"), body.pop("message")) == (5, "Unsupported protocol version")
    assert "socket.io-client 3 or 4" in body.pop("detail")
    assert body == {}


@pytest.mark.parametrize(("query", "status"), [("EIO=3&EIO=4", 200), ("EIO=4&EIO=3", 400)])
async def test_the_last_of_repeated_fields_counts(client: Client, query: str, status: int) -> None:
    """E-10; E08"""
    connection = await client.connect()
    answer = await connection.request("GET", f"/engine.io/?transport=polling&{query}")
    assert answer.status == status


async def test_the_method_is_checked_before_the_revision(client: Client) -> None:
    """E-12; E09"""
    assert_refused(await client.request("POST", {"EIO": "3", "transport": "polling"}), 2)


@pytest.mark.parametrize("revision", ["3", "5", "", "none"])
async def test_a_session_keeps_its_revision(client: Client, revision: str) -> None:
    """E-12; E10, CVE-2026-102599"""
    session = await client.polling()
    assert_refused(await session.get(EIO=revision), 3)
    assert await session.is_alive()
    await session.post("4hello")
    assert await session.poll() == ["4hello"]


async def test_a_polling_session_is_not_polled_as_a_websocket(client: Client) -> None:
    """E-12; E11"""
    session = await client.polling()
    assert_refused(await session.get(transport="websocket"), 3)
    assert await session.is_alive()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_do_not_affect_a_session(client: Client, method: str) -> None:
    """E-36; Section 1.2; the reference answers 500"""
    session = await client.polling()
    connection = await client.connect()
    answer = await connection.request(method, session.target())
    assert (answer.status, answer.header("allow")) == (405, "GET, POST")
    assert await session.is_alive()


async def test_an_authorizer_refuses_both_transports() -> None:
    """E-11; E12"""
    async with running(authorize=lambda request: "not today" if "no" in request.query else None) as engine:
        answer = await engine.client.request("GET", {**NEW, "no": "1"})
        assert (answer.status, answer.json()) == (403, {"code": 4, "message": "not today"})
        answer = await refused_upgrade(engine.client, no="1")
        assert (answer.status, answer.json()) == (403, {"code": 4, "message": "not today"})
        assert engine.server.sessions == {}
        await engine.client.polling()
        await engine.client.websocket()


@pytest.mark.parametrize("sid", ["x" * 20, "__proto__"])
async def test_an_upgrade_of_an_unknown_session(client: Client, sid: str) -> None:
    """E-11; E13"""
    assert_refused(await refused_upgrade(client, sid=sid), 1)


@pytest.mark.parametrize("query", [{"EIO": "3"}, {"EIO": ""}])
async def test_another_revision_on_a_websocket_is_refused_before_the_101(client: Client, query: dict[str, str]) -> None:
    """E-13; E14"""
    answer = await refused_upgrade(client, **query)
    assert (answer.status, answer.json()["code"]) == (400, 5)


@pytest.mark.parametrize("headers", BROKEN_HANDSHAKES)
async def test_an_invalid_handshake_opens_no_session(engine: Engine, headers: dict[str, str]) -> None:
    """E-18; E15"""
    with pytest.raises(RefusedUpgradeError) as caught:
        await engine.client.raw_websocket(headers)
    answer = caught.value.answer
    assert (answer.status, answer.header("connection")) == (400, "close")
    assert next(iter(headers)) in answer.json()["message"]
    assert answer.header("sec-websocket-version") == "13"
    assert engine.server.sessions == {}


@pytest.mark.parametrize("value", ["foo", "h2c", "websocket/13"])
async def test_an_upgrade_to_another_protocol_opens_no_session(engine: Engine, value: str) -> None:
    """E-18; E15"""
    with pytest.raises(RefusedUpgradeError) as caught:
        await engine.client.raw_websocket({"Upgrade": value})
    assert_refused(caught.value.answer, 3)
    assert engine.server.sessions == {}


@pytest.mark.parametrize("value", ["websocket", "WebSocket", "WEBSOCKET"])
async def test_upgrade_is_read_in_any_case_and_connection_may_list_more(client: Client, value: str) -> None:
    """E-18; RFC 6455, section 4.2.1; Firefox sends `keep-alive, Upgrade`"""
    await client.websocket({"Upgrade": value, "Connection": "keep-alive, Upgrade"})


async def test_only_get_opens_a_websocket(engine: Engine) -> None:
    """E-12; Section 1.3"""
    session = await engine.client.polling()
    for query in ({}, {"sid": session.sid}):
        connection = await engine.client.connect()
        target = engine.client.target(EIO="4", transport="websocket", **query)
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}  # fmt: skip
        assert_refused(await connection.request("POST", target, headers=headers), 2)
    assert await session.is_alive()


async def test_the_first_subprotocol_is_accepted_and_no_extension(client: Client) -> None:
    """E-18; Section 1.3"""
    offer = {
        "Sec-WebSocket-Protocol": "chat, superchat",
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
    }
    websocket = await client.websocket(offer)
    assert websocket.answer.header("sec-websocket-protocol") == "chat"
    assert websocket.answer.header("sec-websocket-extensions") is None


async def test_an_upgrade_request_with_transport_polling_does_not_affect_the_session(client: Client) -> None:
    """E-12; Section 1.3"""
    session = await client.polling()
    assert_refused(await refused_upgrade(client, transport="polling"), 3)
    assert_refused(await refused_upgrade(client, transport="polling", sid=session.sid), 3)
    assert await session.is_alive()


@pytest.mark.parametrize("path", ["/", "/engine.iox/", "/engine.io/x", "/engine%2Eio/", "//engine.io/", "/engine.io//",
                                  "http://localhost/engine.io/", "*", "/ENGINE.IO/"])  # fmt: skip
async def test_other_paths_are_not_found(client: Client, path: str) -> None:
    """E-10; Section 1.10"""
    connection = await client.connect()
    method = "OPTIONS" if path == "*" else "GET"
    answer = await connection.request(method, f"{path}?EIO=4&transport=polling")
    assert answer.status == 404
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    answer = await connection.request("GET", f"{path}?EIO=4&transport=websocket", headers=upgrade)
    assert answer.status == 404


async def test_the_path_is_served_with_and_without_its_last_slash(client: Client) -> None:
    """E-10; Section 1.10"""
    connection = await client.connect()
    for path in ("/engine.io/", "/engine.io"):
        assert (await connection.request("GET", f"{path}?EIO=4&transport=polling")).status == 200


async def test_a_hundred_clients_at_once(engine: Engine) -> None:
    async def visit(number: int) -> str:
        if number % 2:
            websocket = await engine.client.websocket()
            await websocket.send(f"4{number}")
            return str(await websocket.receive())
        session = await engine.client.polling()
        await session.post(f"4{number}")
        return (await session.poll())[0]

    assert await asyncio.gather(*map(visit, range(100))) == [f"4{number}" for number in range(100)]
    assert len(engine.server.sessions) == 100


async def test_a_client_that_leaves_before_its_answer_is_forgotten(engine: Engine) -> None:
    """CVE-2022-41940: a reset at any time"""
    for target in ("/engine.io/?EIO=4&transport=polling", "/elsewhere", "/engine.io/?EIO=4&transport=websocket"):
        connection = await engine.client.connect()
        connection.write(request_bytes("GET", target, {"Upgrade": "websocket", "Connection": "Upgrade"}))
        connection.abort()
    await engine.client.settled()
    await engine.client.polling()
