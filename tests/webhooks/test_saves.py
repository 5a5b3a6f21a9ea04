"""Rule W-04: a busy hook writes its position ten times a second, not for each event."""

from __future__ import annotations

from chatd.store.positions import WHOLE, Position
from chatd.webhooks.memory import Memory
from chatd.webhooks.saves import SAVE_EVERY_S, Saves
from tests.store.rig import Base, store_on


async def test_the_position_is_written_at_once_then_now_and_then_and_at_the_end(base: Base) -> None:
    async with store_on(base) as store:
        now = 100.0
        memory, position = Memory(store, "crm"), dict[int, int]()
        saves = Saves(memory, position, lambda: now)

        async def stored() -> Position:
            return (await memory.load()).position

        position[WHOLE] = 1
        await saves.now_and_then()
        assert not saves.is_behind
        for event in (2, 3, 4):
            position[WHOLE] = event
            await saves.now_and_then()
            assert saves.is_behind
        assert await stored() == {WHOLE: 1}
        now += SAVE_EVERY_S
        await saves.now_and_then()
        assert await stored() == {WHOLE: 4}
        position[WHOLE] = 5
        await saves.at_end()
        assert await stored() == {WHOLE: 5}


async def test_the_end_does_not_fail_without_a_database(base: Base) -> None:
    position = {WHOLE: 0}
    async with store_on(base) as store:
        saves = Saves(Memory(store, "crm"), position, lambda: 0.0)
    position[WHOLE] = 1
    await saves.at_end()
    assert saves.is_behind
