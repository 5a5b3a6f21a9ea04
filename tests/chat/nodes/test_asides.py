"""Events that are not stored are sent to the other nodes too."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chatd.chat.nodes import shell as module
from chatd.chat.nodes.asides import Aside
from tests.chat.nodes.rig import chats, heard, write
from tests.cluster.redis.server import RedisServer
from tests.store.rig import PostgresBase


async def test_typing_is_sent_to_the_other_node_and_not_to_its_author(base: PostgresBase, redis: RedisServer) -> None:
    """N-11"""
    async with chats(base, redis) as (one, two):
        ana, tab = await one.join("ana"), await two.join("ana")
        root = await two.join("root", "admin")
        ana.emit("escribiendo", {"para": "root", "activo": True})
        [[told]] = await heard(root, "escribiendo")
        assert (told["de"], told["activo"]) == ("ana", True)
        write(ana, "root", "hola")
        await heard(root, "mensaje_recibido")
        assert not [event for event in tab.events if event[0] == "escribiendo"]


async def test_a_read_receipt_is_sent_to_the_author_and_the_readers_sockets_on_other_nodes(
    base: PostgresBase, redis: RedisServer
) -> None:
    """N-11, C-49"""
    async with chats(base, redis, payload="full") as (one, two):
        ana, root, tab = await one.join("ana"), await two.join("root", "admin"), await one.join("root", "admin")
        write(ana, "root", "hola")
        [[message]] = await heard(root, "mensaje_recibido")
        root.emit("leido", {"con": "ana", "hasta": message["id"]})
        [[tick]] = await heard(ana, "leido")
        assert tick == {"de": "root", "hasta": message["id"]}
        [[elsewhere]] = await heard(tab, "leido")
        assert elsewhere == {"con": "ana", "hasta": message["id"]}


async def test_a_mark_moved_back_on_one_node_can_be_set_again_on_another(
    base: PostgresBase, redis: RedisServer
) -> None:
    """N-11, C-86, C-87"""
    async with chats(base, redis, payload="full") as (one, two):
        ana, root, tab = await one.join("ana"), await two.join("root", "admin"), await one.join("root", "admin")
        write(ana, "root", "hola")
        [[message]] = await heard(root, "mensaje_recibido")
        for _ in range(2):
            root.emit("leido", {"con": "ana", "hasta": message["id"]})
            await heard(tab, "leido")
            tab.emit("no_leido", {"con": "ana", "desde": message["id"]})
            [[back]] = await heard(root, "no_leido")
            assert back == {"con": "ana", "desde": message["id"]}
            tab.received.clear()
            root.received.clear()
        tab.emit("leido_todo", {"hasta": message["id"]})
        [[read]] = await heard(root, "leido_todo")
        assert read == {"hasta": message["id"]}
        assert not [event for event in ana.events if event[0] in {"no_leido", "leido_todo"}]


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["a text in the place of the offset"],
        [{"ext": msgspec.msgpack.Ext(5, b"x")}],
        [{"bytes": [b"x"] * 11}],
        [{"text": "x" * module.MAX_FRAME_BYTES}],
    ],
    ids=["nothing", "text", "extension", "attachments", "size"],
)
@pytest.mark.parametrize("volatile", [False, True])
async def test_an_invalid_event_from_a_node_is_counted_and_not_sent(
    base: PostgresBase, redis: RedisServer, args: list[Any], *, volatile: bool
) -> None:
    """N-17"""
    async with chats(base, redis) as (one, _):
        ana = await one.join("ana")
        before = len(ana.events)
        one.shell.on_message(msgspec.msgpack.encode(Aside(2, "leido", args, ("user:ana",), volatile=volatile)))
        assert dict(one.shell.traffic())["broken"] == 1
        assert len(ana.events) == before


async def test_an_event_at_the_nesting_limit_is_sent_or_counted(base: PostgresBase, redis: RedisServer) -> None:
    """N-17"""
    async with chats(base, redis) as (one, _):
        await one.join("ana")
        for depth in range(800, 1200):
            data = msgspec.msgpack.encode([3, 2, "leido", [], ["user:ana"], [], False])
            deep = b"\x91" + b"\x81\xa2in" * depth + b"\x80"
            one.shell.on_message(data.replace(b"\x90", deep, 1))
        assert dict(one.shell.traffic())["broken"] > 0
