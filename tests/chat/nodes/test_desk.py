from __future__ import annotations

from chatd.chat.nodes.desk import KICK, WHO, NodeDesk
from tests.chat.nodes.rig import chats
from tests.cluster.redis.server import RedisServer
from tests.store.rig import PostgresBase


async def test_rows_in_the_format_of_another_version_are_no_error(base: PostgresBase, redis: RedisServer) -> None:
    """N-21, N-23"""
    async with chats(base, redis) as (one, two):
        desk = NodeDesk(one.chat)
        two.shell.peers.questions.answers = {
            WHO: lambda _: [{"user": "ana", "node": 7}],
            KICK: lambda _: [{"sessions": 2}, {"sessions": "many"}, {}],
        }
        assert await desk.who() == {"people": [{"user": "ana", "node": 2}], "unanswered": []}
        assert await desk.kick("ana") == {"sessions": 2, "unanswered": []}
