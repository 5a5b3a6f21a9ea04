"""Upgrading from polling to WebSocket: rows U01 to U10."""

from __future__ import annotations

import itertools

import pytest

from chatd.engineio.polling import RELEASE_S
from chatd.engineio.reasons import CloseReason
from tests.conformance.engineio.engine import Engine, running
from tests.conformance.tables import WRONG_FIRST
from tests.conformance.wire import (
    CLOSE,
    NO_CODE,
    NO_FRAME,
    Client,
    PollingSession,
    RefusedUpgradeError,
    WebSocket,
    frame_bytes,
    joined,
    request_bytes,
    text_frame,
)


async def probed(session: PollingSession) -> WebSocket:
    """A WebSocket whose probe has been answered."""
    websocket = await session.upgrade()
    await websocket.send("2probe")
    assert await websocket.receive() == "3probe"
    return websocket


async def upgraded(session: PollingSession) -> WebSocket:
    """The session's WebSocket after the upgrade."""
    websocket = await probed(session)
    await websocket.send("5")
    await session.client.settled()
    return websocket


async def test_a_probe_ends_the_waiting_poll(client: Client) -> None:
    """E-40, E-41; U01"""
    session = await client.polling()
    pending = await session.begin_get()
    await probed(session)
    assert await pending.packets() == ["6"]


async def test_a_poll_during_the_upgrade_is_answered_soon(client: Client) -> None:
    """E-41; U01, and the protocol's own suite"""
    session = await client.polling()
    websocket = await probed(session)
    for _ in range(3):
        assert await session.poll() == ["6"]
    await websocket.send("5")
    await websocket.send("4hello")
    assert await websocket.receive() == "4hello"


async def test_a_poll_during_the_upgrade_gets_packets_that_are_ready(engine: Engine) -> None:
    """E-41"""
    session = await engine.client.polling()
    await probed(session)
    pending = await session.begin_get()
    engine.session(session.sid).send("news")
    assert await pending.packets() in (["4news"], ["6"])
    assert RELEASE_S < 0.15


async def test_packets_queued_at_the_switch_are_sent_on_the_websocket(engine: Engine) -> None:
    """E-42; U02"""
    session = await engine.client.polling()
    websocket = await probed(session)
    for number in range(40):
        engine.session(session.sid).send(str(number))
    await websocket.send("5")
    assert [await websocket.receive() for _ in range(40)] == [f"4{number}" for number in range(40)]
    engine.session(session.sid).send("last")
    assert await websocket.receive() == "4last"


async def test_packets_around_the_switch_stay_in_order(client: Client) -> None:
    """E-42; U02"""
    session = await client.polling()
    websocket = await probed(session)
    await session.post(joined(["4a", "4b"]))
    await websocket.send_raw(text_frame("5") + text_frame("4c") + text_frame("4d"))
    assert [await websocket.receive() for _ in range(4)] == ["4a", "4b", "4c", "4d"]


async def test_binary_queued_at_the_switch_is_sent_as_binary(client: Client) -> None:
    """E-42; U02"""
    session = await client.polling()
    websocket = await probed(session)
    await session.post("bAQIDBA==")
    await websocket.send("5")
    assert await websocket.receive() == b"\x01\x02\x03\x04"


async def test_a_post_during_the_upgrade_is_processed(engine: Engine) -> None:
    """E-41; U03"""
    session = await engine.client.polling()
    websocket = await probed(session)
    assert (await session.post("4hello")).text == "ok"
    assert engine.peer(session.sid).messages == ["hello"]
    assert await session.poll() == ["4hello"]
    await session.post("4again")
    await websocket.send("5")
    assert await websocket.receive() == "4again"


async def test_the_waiting_poll_is_answered_at_the_switch(engine: Engine) -> None:
    """E-42; Section 1.9"""
    session = await engine.client.polling()
    pending = await session.begin_get()
    websocket = await session.upgrade()
    await websocket.send("5")
    assert await pending.packets() == ["6"]
    await websocket.send("4hello")
    assert await websocket.receive() == "4hello"


@pytest.mark.parametrize("first", WRONG_FIRST, ids=itertools.count())
async def test_another_first_packet_closes_only_the_websocket(engine: Engine, first: bytes) -> None:
    """E-43; U04"""
    session = await engine.client.polling()
    websocket = await session.upgrade()
    await websocket.send_raw(first)
    assert await websocket.closed() == NO_CODE
    await session.post("4hello")
    assert await session.poll() == ["4hello"]
    assert engine.peer(session.sid).messages == ["hello"]
    second = await upgraded(session)
    await second.send("4hello")
    assert await second.receive() == "4hello"


async def test_a_message_after_the_probe_closes_only_the_websocket(engine: Engine) -> None:
    """E-43; U04"""
    session = await engine.client.polling()
    websocket = await probed(session)
    await websocket.send("4hello")
    assert await websocket.closed() == NO_CODE
    assert await session.is_alive()
    assert engine.peer(session.sid).messages == []


async def test_a_broken_frame_closes_only_the_websocket(client: Client) -> None:
    """E-43; U04"""
    session = await client.polling()
    websocket = await session.upgrade(early=frame_bytes(3, b""))
    assert await websocket.closed() == 1002
    assert await session.is_alive()
    await upgraded(session)


async def test_every_probe_is_answered(client: Client) -> None:
    """E-40; Section 1.9"""
    session = await client.polling()
    websocket = await session.upgrade()
    for _ in range(5):
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
    await websocket.send("5")
    await websocket.send("4hello")
    assert await websocket.receive() == "4hello"


async def test_probe_and_upgrade_may_be_in_one_write_with_the_handshake(client: Client) -> None:
    """E-40, E-42; Section 1.9"""
    session = await client.polling()
    websocket = await session.upgrade(early=text_frame("2probe") + text_frame("5") + text_frame("4hello"))
    assert [await websocket.receive(), await websocket.receive()] == ["3probe", "4hello"]


@pytest.mark.parametrize("first", ["2probe", None])
async def test_an_unfinished_upgrade_is_abandoned_after_a_timeout(first: str | None) -> None:
    """E-43; U05"""
    async with running(upgrade_timeout_s=0.1) as engine:
        session = await engine.client.polling()
        websocket = await session.upgrade()
        if first is not None:
            await websocket.send(first)
            assert await websocket.receive() == "3probe"
        assert await websocket.closed() == NO_CODE
        pending = await session.begin_get()
        engine.session(session.sid).send("news")
        assert await pending.packets() == ["4news"]
        await upgraded(session)


async def test_after_an_abandoned_upgrade_polls_wait_again(engine: Engine) -> None:
    """E-43; U05"""
    session = await engine.client.polling()
    websocket = await probed(session)
    websocket.abort()
    await engine.client.settled()
    pending = await session.begin_get()
    engine.session(session.sid).send("news")
    assert await pending.packets() == ["4news"]


async def test_a_second_websocket_is_closed_and_the_first_completes(client: Client) -> None:
    """E-43; U06"""
    session = await client.polling()
    first = await probed(session)
    second = await session.upgrade()
    assert await second.closed() == NO_CODE
    await first.send("5")
    await first.send("4hello")
    assert await first.receive() == "4hello"


@pytest.mark.parametrize("politely", [True, False])
async def test_a_websocket_that_breaks_after_the_probe(client: Client, politely: bool) -> None:
    """E-43; U07"""
    session = await client.polling()
    websocket = await probed(session)
    if politely:
        await websocket.send_frame(CLOSE, b"")
        assert await websocket.closed() == NO_CODE
    else:
        websocket.abort()
    await client.settled()
    assert await session.is_alive()
    second = await upgraded(session)
    await second.send("4hello")
    assert await second.receive() == "4hello"


async def test_a_client_that_closes_by_polling_during_the_upgrade(engine: Engine) -> None:
    """E-43; U08"""
    session = await engine.client.polling()
    websocket = await probed(session)
    assert (await session.post("1")).text == "ok"
    assert await websocket.closed() == NO_CODE
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_CLOSE
    assert not await session.is_alive()


async def test_the_upgrade_of_a_closed_session_is_closed() -> None:
    """E-43; U08"""
    async with running(ping_interval_s=0.05, ping_timeout_s=0.05) as engine:
        session = await engine.client.polling()
        websocket = await probed(session)
        assert await websocket.closed() == NO_CODE
        assert engine.server.sessions == {}


async def test_after_the_switch_the_session_is_only_on_the_websocket(engine: Engine) -> None:
    """E-44; U09"""
    session = await engine.client.polling()
    websocket = await upgraded(session)
    assert (await session.get()).json()["code"] == 3
    assert (await session.post("4x")).json()["code"] == 3
    second = await session.upgrade()
    assert await second.closed() in (NO_CODE, NO_FRAME)
    assert (await session.get(transport="websocket")).json()["code"] == 3
    await websocket.send("4hello")
    assert await websocket.receive() == "4hello"
    assert engine.peer(session.sid).messages == ["hello"]


async def test_an_unfinished_post_at_the_switch_is_processed(engine: Engine) -> None:
    """E-42; A client does not wait for its POST before it switches, if it is in a hurry"""
    session = await engine.client.polling()
    websocket = await probed(session)
    connection = await engine.client.connect()
    connection.write(request_bytes("POST", session.target(), {"Content-Length": "6"}, b"4he"))
    await engine.client.settled()
    await websocket.send("5")
    await engine.client.settled()
    connection.write(b"llo")
    assert (await connection.answer()).text == "ok"
    assert await websocket.receive() == "4hello"


@pytest.mark.parametrize("revision", ["", "3"])
async def test_an_upgrade_keeps_the_session_s_revision(client: Client, revision: str) -> None:
    """E-12; U10, CVE-2026-102599"""
    session = await client.polling()
    with pytest.raises(RefusedUpgradeError) as caught:
        await session.upgrade(EIO=revision, early=text_frame("2"))
    assert caught.value.answer.json()["code"] == 3
    assert await session.is_alive()


async def test_a_close_by_the_server_during_the_upgrade_is_sent_after_the_switch(engine: Engine) -> None:
    """Section 1.9"""
    session = await engine.client.polling()
    websocket = await probed(session)
    engine.session(session.sid).send("41")
    engine.session(session.sid).close(CloseReason.FORCED_CLOSE)
    await websocket.send("5")
    assert (await websocket.messages_until_closed())[0] == "441"
    assert engine.server.sessions == {}


async def test_a_close_by_the_server_during_the_upgrade_is_sent_on_polling_too(engine: Engine) -> None:
    """Section 1.9"""
    session = await engine.client.polling()
    websocket = await probed(session)
    engine.session(session.sid).close(CloseReason.FORCED_CLOSE)
    assert await session.poll() == ["1"]
    assert await websocket.closed() == NO_CODE
    assert engine.server.sessions == {}


async def test_a_shutdown_during_an_upgrade_closes_both(engine: Engine) -> None:
    """Section 2.4"""
    session = await engine.client.polling()
    websocket = await probed(session)
    engine.server.close()
    assert await session.poll() == ["6"]
    assert await websocket.closed() == NO_CODE
