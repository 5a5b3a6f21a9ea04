"""The router of a node: differences from that of a single daemon."""

from __future__ import annotations

from chatd.cluster.core.position import decode
from tests.chat.nodes.rig import chats, heard, until, write
from tests.cluster.redis.server import RedisServer
from tests.store.rig import PostgresBase


async def test_a_message_has_the_vector_of_the_delivering_node(base: PostgresBase, redis: RedisServer) -> None:
    """N-05, N-06"""
    async with chats(base, redis, recovery="on", payload="full") as (one, two):
        ana, root = await one.join("ana"), await two.join("root", "admin")
        write(ana, "root", "hola")
        [[message, offset]] = await heard(root, "mensaje_recibido")
        assert message["mensaje"] == "hola"
        assert decode(offset)[1] == int(message["id"])
        assert two.chat.messages.feed.position == int(message["id"])


async def test_an_admin_of_another_node_is_online_too(base: PostgresBase, redis: RedisServer) -> None:
    """C-08, N-12: so all admins receive messages to that admin."""
    async with chats(base, redis, admin_messages="all") as (one, two):
        boss, near, far = (
            await one.join("boss", "admin"),
            await one.join("root", "admin"),
            await two.join("eva", "admin"),
        )
        await until(lambda: one.shell.peers.people.is_admin_elsewhere("eva"))
        write(boss, "eva", "hola")
        for admin in (near, far):
            await heard(admin, "mensaje_recibido")


async def test_only_admins_get_the_states_of_the_nodes(base: PostgresBase, redis: RedisServer) -> None:
    """N-22"""
    async with chats(base, redis) as (one, _):
        ana, root = await one.join("ana"), await one.join("root", "admin")
        for line in (ana, root):
            line.emit("nodos", ack=7)
        await until(lambda: all(any(text.startswith("437") for text in line.received) for line in (ana, root)))
        assert ana.answer(7)["error"]["code"] == "admins_only"
        assert [row["nodo"] for row in root.answer(7)["nodos"]] == [1, 2]
