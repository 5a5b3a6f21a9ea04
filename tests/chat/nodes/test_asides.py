"""What nobody keeps, and the other nodes hear all the same."""

from __future__ import annotations

from tests.chat.nodes.rig import chats, heard, write
from tests.cluster.redis.server import RedisServer
from tests.store.rig import PostgresBase


async def test_who_writes_is_told_on_the_other_node_and_not_to_its_own_user(
    base: PostgresBase, redis: RedisServer
) -> None:
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


async def test_what_was_read_is_told_to_the_author_and_to_the_readers_other_sockets(
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
