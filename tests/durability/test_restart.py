"""SIGTERM under load, and a new daemon on the same file, several times: senders that resend unacknowledged messages
lose nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

from tests.chat.daemon import daemon
from tests.durability.senders import Book, Sender
from tests.store.rig import rows

SENDERS = 12
RESTARTS = 3


async def test_restarts_under_load_lose_nothing(db: Path, seed: int) -> None:
    """C-15, C-20"""
    dice, book = random.Random(seed), Book()
    senders = [Sender(f"user-{number}", book) for number in range(SENDERS)]
    for _ in range(RESTARTS):
        async with daemon(db) as chatd:
            running = [asyncio.create_task(sender.run(chatd.enter)) for sender in senders]
            await book.more_acknowledged(dice.randrange(1, 400))
            chatd.terminate()
            await asyncio.gather(*running)
            assert await chatd.ended() == 0
            assert chatd.faults == []
        by_id = {row.id: row.mensaje for row in rows(db)}
        assert {text: by_id.get(message_id) for text, message_id in book.acknowledged.items()} == {  # type: ignore[call-overload]
            text: text for text in book.acknowledged
        }
    async with daemon(db) as chatd:
        await asyncio.gather(*(sender.settle(chatd.enter) for sender in senders))
    assert book.acknowledged.keys() == book.sent
    assert Counter(row.mensaje for row in rows(db)) == Counter(book.sent), "nothing is lost, nothing is duplicated"
