"""Honest clients on a real daemon, and what they report when the daemon does not serve them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench.fairness import people, watch
from bench.fairness.line import EndedError
from tests.chat.people import chatting, token

SOURCE = "127.0.0.2"


def _mint(user: str, rol: str) -> str:
    return token(user, rol)


async def test_every_client_receives_messages_and_acknowledgements(tmp_path: Path) -> None:
    async with chatting(tmp_path / "chat.db") as chat:
        pairs = await people.couples(chat.client.port, SOURCE, _mint)
        post = await people.talk(pairs, 0.3)
        async with asyncio.timeout(10):
            await post.complete.wait()
        assert post.lost() == []
        assert len(post.letters) == int(0.3 * people.RATE * 2 * people.PAIRS)
        assert all(letter.sent < letter.heard for letter in post.letters.values())
        assert {letter.para[:3] for letter in post.letters.values()} == {"ana", "roo"}
        for user, admin in pairs:
            user.leave()
            admin.leave()


async def test_a_disconnected_client_loses_messages(tmp_path: Path) -> None:
    async with chatting(tmp_path / "chat.db") as chat:
        pairs = await people.couples(chat.client.port, SOURCE, _mint)
        pairs[0][1].leave()
        post = await people.talk(pairs, 0.3)
        assert any(fault.endswith("never came") for fault in post.lost())
        for user, admin in pairs:
            user.leave()
            admin.leave()


async def test_a_client_without_a_token_is_refused(tmp_path: Path) -> None:
    async with chatting(tmp_path / "chat.db") as chat:
        with pytest.raises(EndedError):
            await people.Person.enter(chat.client.port, SOURCE, "ana", "junk")


async def test_newcomers_are_counted_whether_admitted_or_not(tmp_path: Path) -> None:
    async with chatting(tmp_path / "chat.db") as chat:
        seen = watch.Seen()
        tokens = [("new0", token("new0")), ("new1", "junk")]
        await watch.newcomers(seen, chat.client.port, SOURCE, tokens)
        assert (seen.newcomers, len(seen.joins)) == (2, 1)


async def test_unanswered_health_requests_are_counted() -> None:
    seen = watch.Seen()
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    await watch.health(seen, server.sockets[0].getsockname()[1], 0.01)
    server.close()
    assert seen.unanswered == len(seen.health) > 0
