"""Clients of a Node.js node and of chatd are in one chat. N-30 to N-39."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.ports import free_port
from chatd.chat.neighbours.attendance import WAIT_S
from chatd.chat.neighbours.telling import RESUME_S
from chatd.cluster.adapter.faults import Fault
from tests.cluster.neighbourhood import SOON_S, Neighbourhood, neighbourhood, until_joined
from tests.cluster.nodes import cluster
from tests.cluster.people import enter, texts, write
from tests.interop.neighbour import running_node
from tests.interop.node import Driver, JsSocket
from tests.interop.proxy import proxy
from tests.interop.values import Js
from tests.postgresql import Server as Postgresql

Place = Callable[..., AbstractAsyncContextManager[Neighbourhood]]


@pytest.fixture
def place(tmp_path: Path, driver: Driver) -> Place:
    """A context manager: `async with place(*flags) as here`."""
    return lambda *flags: neighbourhood(tmp_path, driver, *flags)


async def nothing_more(here: Neighbourhood, *sockets: JsSocket) -> None:
    """An event emitted after all others has arrived, and no other before it."""
    await here.node.io(("emit", "the end"))
    for socket in sockets:
        await socket.hear("the end")
        assert unheard(socket) == []


def unheard(socket: JsSocket) -> list[str]:
    """The unread events of a socket."""
    return [name for name in socket._heard if name[0] != ":" and socket.heard(name)]


async def test_a_message_reaches_admins_and_its_addressee_on_both_sides_once(place: Place) -> None:
    """N-31, N-32"""
    async with place() as here:
        root, far_root = await here.enter("root", "admin"), await here.enter_node("root", "admin")
        ana, far_ana = await here.enter("ana"), await here.enter_node("ana")
        hello = {"de": "eva", "mensaje": "hola 📦"}
        for eva in (await here.enter("eva"), await here.enter_node("eva")):
            assert (await eva.ask("mensaje_privado", {"para": "ana", "mensaje": "hola 📦"}))[0]["ok"]
            for socket in (root, far_root, ana, far_ana):
                assert await socket.hear("mensaje_recibido") == [hello]
        for admin in (root, far_root):
            assert (await admin.ask("mensaje_privado", {"para": "ana", "mensaje": "ya voy"}))[0]["ok"]
            for socket in (ana, far_ana):
                assert await socket.hear("mensaje_recibido") == [{"de": "root", "mensaje": "ya voy"}]
        await nothing_more(here, root, far_root, ana, far_ana)


async def test_events_of_any_name_and_value_arrive_as_on_node(place: Place) -> None:
    """N-31, N-33, N-34: clients of both servers get the same, from io and from the emitter."""
    values: list[Any] = [
        *(1, 2**40, -5, 0.5, "ñ 📦", None, True, [], {}, [[{"a": [None]}]]),
        *(b"\x00\xff", {"file": b"abc", "more": [b""]}, Js("new Date(1e12)"), Js("NaN"), Js("undefined")),
        *(Js("new Date(-1)"), Js("new Uint8Array([1, 2])"), Js("new Set([1])")),
        *(Js("new Date('0001-01-01')"), Js("new Date('0999-12-31T23:59:59.001Z')"), Js("-0"), Js("2 ** 63")),
    ]
    async with place() as here:
        near, far = await here.enter("ana"), await here.enter_node("ana")
        for emit in (here.node.io, here.node.emitter):
            for value in values:
                await emit(("to", "user:ana"), ("emit", "news", value, 1))
            heard = [[await socket.hear("news") for _ in values] for socket in (near, far)]
            assert heard[0] == heard[1]
            assert heard[0][0] == [1, 1]
            assert heard[0][10] == [b"\x00\xff", 1]


async def test_broadcasts_respect_rooms_socket_ids_and_except(place: Place) -> None:
    """N-31, N-33"""
    async with place() as here:
        root, ana = await here.enter("root", "admin"), await here.enter("ana")
        eva = await here.enter("eva")
        [[ana_id], [eva_id]] = [
            [each["id"] for each in await here.node.io(("in", f"user:{user}"), ("fetchSockets",))]
            for user in ("ana", "eva")
        ]
        chains: list[list[tuple[Any, ...]]] = [
            [("emit",)],
            [("except", "admins"), ("emit",)],
            [("to", ana_id), ("emit",)],
            [("to", "admins"), ("to", "user:eva"), ("except", eva_id), ("emit",)],
            [("to", "nowhere"), ("emit",)],
            [("to", "user:ana"), ("to", "user:ana"), ("to", "admins"), ("volatile",), ("emit",)],
            [("to", 7), ("emit",)],
        ]
        for number, chain in enumerate(chains):
            for emit in (here.node.io, here.node.emitter):
                await emit(*[(*step, "news", number) if step == ("emit",) else step for step in chain])
        for emit in (here.node.io, here.node.emitter):  # each has its own connection to Redis
            await emit(("emit", "news", "last"))
        heard: list[list[Any]] = []
        for socket in (root, ana, eva):
            arguments: list[Any] = []
            while arguments.count("last") < 2:
                arguments += await socket.hear("news")
            heard.append(sorted(argument for argument in arguments if argument != "last"))
        assert heard == [
            [0, 0, 3, 3, 5, 5],
            [0, 0, 1, 1, 2, 2, 5, 5],
            [0, 0, 1, 1],
        ]


@pytest.mark.parametrize("words", [["reload"], ["say", "text"], ["say", {"a": 1}, "42"]])
async def test_an_event_that_ends_in_a_string_does_not_break_a_recovery(place: Place, words: list[Any]) -> None:
    """N-35: socket.io-client would take that text, even the event's name, for its offset."""
    async with place("--recovery", "on") as here, proxy(here.chatd.port) as between:
        ana, root = await here.enter_by(between.url, "ana"), await here.enter("root", "admin")
        await write(root, "ana", "one")
        await ana.hear("mensaje_recibido")
        await here.node.io(("to", "user:ana"), ("emit", *words))
        assert (await ana.hear(words[0]))[: len(words) - 1] == words[1:]
        await here.node.io(("to", "user:ana"), ("emit", "object", {"a": 1}))
        assert await ana.hear("object") == [{"a": 1}]
        between.interrupt()
        await ana.hear(":disconnect")
        await write(root, "ana", "two")
        between.restore()
        assert (await back(ana))["recovered"] is True
        assert (await ana.hear("mensaje_recibido"))[0]["mensaje"] == "two"


async def test_node_disconnects_sockets_of_chatd(place: Place) -> None:
    """N-37"""
    async with place() as here:
        ana, ana_too, eva = [await here.enter(user) for user in ("ana", "ana", "eva")]
        await here.node.io(("in", "user:ana"), ("disconnectSockets", True))
        for socket in (ana, ana_too):
            assert await socket.hear(":disconnect") == ["io server disconnect"]
        far = await here.enter_node("eva")
        await here.node.emitter(("in", "user:eva"), ("disconnectSockets",))
        assert await eva.hear(":disconnect") == ["io server disconnect"]
        assert await far.hear(":disconnect") == ["io server disconnect"]


async def test_node_cannot_join_or_leave_rooms_for_sockets_of_chatd(place: Place) -> None:
    """N-37"""
    async with place() as here:
        ana, root = await here.enter("ana"), await here.enter("root", "admin")
        for order in (here.node.io, here.node.emitter):
            await order(("in", "user:ana"), ("socketsJoin", ["admins", "user:root", "elsewhere"]))
            await order(("socketsLeave", ["user:ana", "admins"]))
        for room, number in (("elsewhere", 1), ("admins", 2), ("user:root", 3), ("user:ana", 4)):
            await here.node.io(("to", room), ("emit", "news", number))
        assert [await root.hear("news") for _ in range(2)] == [[2], [3]]
        assert await ana.hear("news") == [4]
        await nothing_more(here, ana, root)
        assert "the rooms of a socket are those of its token" in here.chatd.log.read_text()


async def test_node_gets_the_list_of_sockets_without_secrets(place: Place) -> None:
    """N-36"""
    async with place() as here:
        await here.enter("ana", query={"token": "in the query"}, auth={"more": "in auth"})
        await here.enter("root", "admin")
        await here.enter_node("root", "admin")
        found = await here.node.io(("fetchSockets",))
        assert {each["data"]["user"]: set(each["rooms"]) - {each["id"]} for each in found if each["data"]} == {
            "ana": {"user:ana"},
            "root": {"user:root", "admins"},
        }
        [ana] = await here.node.io(("in", "user:ana"), ("fetchSockets",))
        assert ana["data"] == {"user": "ana", "name": "Name of ana", "rol": "user"}
        assert ana["handshake"]["address"] == "127.0.0.1"
        assert ana["handshake"]["query"] == {"EIO": "4", "transport": "websocket"}
        assert ana["handshake"]["url"] == "/socket.io/?EIO=4&transport=websocket"
        assert (ana["handshake"]["headers"], ana["handshake"]["auth"]) == ({}, {})
        assert "eyJ" not in json.dumps(ana)
        assert "in the query" not in json.dumps(ana)
        assert len(await here.node.io(("in", "admins"), ("fetchSockets",))) == 2
        assert len(await here.node.io(("except", "admins"), ("fetchSockets",))) == 1
        rooms = await here.node.call("adapter", ("allRooms",))
        assert {"user:ana", "user:root", "admins", ana["id"]} <= set(rooms)


async def test_other_requests_of_node_are_answered(place: Place) -> None:
    """N-36: otherwise each of them would fail after five seconds."""
    async with place() as here:
        assert await here.node.io(("serverSideEmitWithAck", "who is there", 1)) == [None]
        await here.node.io(("serverSideEmit", "nobody listens"))
        old = {"requestId": "abc", "type": 0, "rooms": ["user:ana"]}
        assert await here.node.publish("socket.io-request#/#", json.dumps(old).encode()) == 2
        assert await here.node.io(("fetchSockets",)) == []


async def test_acknowledgements_of_clients_on_both_sides_reach_node(place: Place) -> None:
    """N-38"""
    async with place() as here:
        sockets = [await here.enter("ana"), await here.enter("eva"), await here.enter_node("root", "admin")]
        asked = [answered(socket, number) for number, socket in enumerate(sockets)]
        answers, *_ = await asyncio.gather(
            here.node.io(("timeout", 10_000), ("emitWithAck", "how many", "text")), *asked
        )
        assert sorted(answers) == [0, 1, 2]
        with pytest.raises(AssertionError, match="timed out"):
            await here.node.io(("timeout", 100), ("emitWithAck", "nobody answers"))
        assert await here.node.io(("to", "nowhere"), ("timeout", 5_000), ("emitWithAck", "nobody there")) == []


async def back(socket: JsSocket) -> dict[str, Any]:
    """The next `connect`, after any number of attempts."""
    connected: dict[str, Any] = (await socket.hear(":connect"))[0]
    return connected


async def answered(socket: JsSocket, number: int) -> None:
    assert await socket.answer_next("how many", number, "and more") == ["text"]


WORDS = ["x" * 10_000, "\0\x1b\u2028\ufeff\U0010ffff", '"}]', "\\", "👩‍👩‍👧", "é" * 5_000, "$&", "constructor"]


async def test_node_gets_any_message_of_chatd_users_and_keeps_receiving(place: Place) -> None:
    """N-32: a Node.js node that cannot process a message may stop receiving."""
    async with place("--payload", "full") as here:
        root = await here.enter("root", "admin")
        names = ["__proto__", "constructor", "a#b/*?[c]", "ñ 📦", "user:x", "admins"]
        far = {name: await here.enter_node(name) for name in names}
        for name, socket in far.items():
            for words in WORDS:
                await root.ask(
                    "mensaje_privado", {"para": name, "mensaje": words, "cid": f"{name[:30]} {len(words)} {words[:3]}"}
                )
                [heard] = await socket.hear("mensaje_recibido")
                assert (heard["mensaje"], heard["para"], heard["de"]) == (words, name, "root")
                assert heard.keys() == {"de", "mensaje", "id", "para", "fecha", "cid"}
        await nothing_more(here, *far.values())


JUNK: list[bytes] = [
    *(
        b"",
        b"\xc1",
        b"{",
        b"[]",
        b"{}",
        b"\x93",
        b"\x80",
        b"\xff" * 100,
        b'{"type":99}',
        b'{"type":"5"}',
        b'{"type":5}',
    ),
    *(b"\x91" * 100_000, b'{"a":' * 100_000, b'{"type":7,"packet":{"type":2,"data":[],"nsp":"/"}}'),
    msgspec.msgpack.encode(["x", {"type": 2, "data": []}, {"rooms": []}]),
    msgspec.msgpack.encode(["x", {"type": 2, "data": ["connect"]}, {"rooms": []}]),
    msgspec.msgpack.encode(["x", {"type": 3, "data": ["a"]}, {"rooms": []}]),
    msgspec.msgpack.encode(["x", {"type": 2, "data": ["a", bytes(2_000_000)]}, {"rooms": []}]),
    msgspec.msgpack.encode(["x", {"type": 2, "data": ["a", *[b""] * 11]}, {"rooms": []}]),
    msgspec.msgpack.encode(["x", {"type": 2, "data": ["a", {"_placeholder": True, "num": 3}, b""]}, {"rooms": []}]),
    msgspec.msgpack.encode(["x", {"type": 2, "data": ["a", {1: 2}]}, {"rooms": []}]),
    msgspec.msgpack.encode(
        {"type": 7, "requestId": "x", "packet": {"type": 2, "data": ["a", {1: 2}]}, "opts": {"rooms": []}}
    ),
]


async def test_invalid_input_on_the_channels_is_refused_and_counted(place: Place) -> None:
    """N-34. A Node.js node may fail on it, so chatd is alone on this Redis."""
    port = free_port()
    async with place("--internal", f"127.0.0.1:{port}") as here:
        ana, root = await here.enter("ana"), await here.enter("root", "admin")
        for channel in ("socket.io#/#", "socket.io#/#user:ana#", "socket.io-request#/#"):
            for data in JUNK:
                here.redis.publish(channel, data)
        here.redis.publish("socket.io#/#\xff#", b"")
        async with running_node(here.redis.path) as node:
            await node.emitter(("emit", "news", 1))
            assert await ana.hear("news") == [1]
            assert await root.hear("news") == [1]
        assert unheard(ana) == unheard(root) == []
        log = here.chatd.log.read_text()
        assert "a handler failed" not in log
        assert log.count("refused from Redis") < len(JUNK)
        with await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/metrics") as answer:
            scraped = answer.read().decode()
        counted = {
            reason: float(count)
            for reason, count in re.findall(r'chatd_refusals_total{by="adapter",reason="(\w+)"} (\S+)', scraped)
        }
        assert set(counted) == set(Fault)
        seen = {"max_payload", "max_depth", "max_attachments", "unreadable", "event", "request"}
        assert {reason for reason, count in counted.items() if count} == seen


async def test_messages_during_an_outage_of_redis_reach_node(place: Place) -> None:
    """N-39"""
    async with place() as here:
        ana, root, far = await here.enter("ana"), await here.enter("root", "admin"), await here.enter_node("ana")
        here.redis.kill()
        await write(root, "ana", "one", "two")
        assert await texts(ana, 2) == ["one", "two"]
        here.redis.start()
        await here.until_joined()
        assert await texts(far, 2) == ["one", "two"]
        await write(root, "ana", "three")
        await (await here.enter_node("root", "admin")).ask("mensaje_privado", {"para": "ana", "mensaje": "four"})
        assert await texts(ana, 2) == ["three", "four"]
        assert await texts(far, 2) == ["three", "four"]


async def counted(here: Neighbourhood, times: int) -> None:
    """Wait until chatd has sent PUBSUB NUMSUB so often."""
    seen = here.redis.counts()
    async with asyncio.timeout(SOON_S):
        while here.redis.counts() < seen + times:  # noqa: ASYNC110 - Redis rings no bell
            await asyncio.sleep(0.05)


async def test_waiting_messages_are_published_when_all_have_reconnected(place: Place) -> None:
    """N-39: chatd asks a restarted Redis for its subscribers. One of two Node.js nodes is late, and misses none."""
    async with place() as here, running_node(here.redis.path) as late:
        await here.until_joined(3)
        ana, root, far = await here.enter("ana"), await here.enter("root", "admin"), await here.enter_node("ana")
        other = await here.enter_node("ana", node=late)
        for text in ("one", "two"):
            await counted(here, 2)
            here.redis.kill()
            await write(root, "ana", text)
            assert await texts(ana, 1) == [text]
            async with late.standing_still():
                here.redis.start()
                await here.until_joined(2)
                await counted(here, 4)
                assert unheard(far) == []
            began_s = time.monotonic()
            assert await texts(far, 1) == await texts(other, 1) == [text]
            assert time.monotonic() - began_s < RESUME_S - 4 * WAIT_S, "sooner than by the timeout"


async def test_two_nodes_of_chatd_and_one_of_node_are_one_chat_without_duplicates(
    tmp_path: Path, driver: Driver, postgresql: Postgresql
) -> None:
    """N-32: each node publishes its own messages, and ignores those of the other."""
    with cluster(tmp_path, postgresql, "--bus-adapter", "socket.io") as several:
        async with running_node(several.redis.path) as node:
            await until_joined(node, 3)
            near, far = [await enter(driver, several.url(number), "ana") for number in (1, 2)]
            root, boss = [await enter(driver, several.url(number), "root", "admin") for number in (1, 2)]
            other = await driver.open(node.url, transports=["websocket"], auth={"user": "ana", "rol": "user"})
            await other.connected()
            await write(root, "ana", "one")
            await write(boss, "ana", "two")
            await node.io(("to", "user:ana"), ("emit", "mensaje_recibido", {"de": "node", "mensaje": "three"}))
            for one in (near, far, other):
                assert sorted(await texts(one, 2)) == ["one", "two"]
                assert await texts(one, 1) == ["three"]
                assert one.heard("mensaje_recibido") == 0
            found = await node.io(("in", "user:ana"), ("fetchSockets",))
            assert len(found) == 3


async def test_an_event_that_ends_in_a_string_does_not_break_a_recovery_on_another_node(
    tmp_path: Path, driver: Driver, postgresql: Postgresql
) -> None:
    """N-35: the offset is a position of several nodes there."""
    with cluster(tmp_path, postgresql, "--bus-adapter", "socket.io", "--recovery", "on") as several:
        async with running_node(several.redis.path) as node, proxy(several.nodes[1].port) as between:
            await until_joined(node, 3)
            ana, root = await enter(driver, between.url, "ana"), await enter(driver, several.url(2), "root", "admin")
            await write(root, "ana", "one")
            assert await texts(ana, 1) == ["one"]
            await node.emitter(("to", "user:ana"), ("emit", "reload"))
            await ana.hear("reload")
            between.interrupt()
            await ana.hear(":disconnect")
            await write(root, "ana", "two")
            between.target = several.nodes[2].port
            between.restore()
            assert (await back(ana))["recovered"] is True
            assert await texts(ana, 1) == ["two"]
            assert ana.heard("mensaje_recibido") == 0
