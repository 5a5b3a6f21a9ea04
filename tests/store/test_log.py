"""The log of messages and the positions of webhooks: the same on both databases."""

from __future__ import annotations

from chatd.store.positions import WHOLE
from chatd.webhooks.memory import Memory
from tests.store.rig import Answers, Base, message, store_on


async def test_the_log_is_read_from_any_position_in_the_order_of_ids(base: Base) -> None:
    """A-20, W-04"""
    async with store_on(base) as store:
        assert await store.log_from(None) == {WHOLE: 0}
        answers = Answers()
        sent = [message(number, f"text {number}\0") for number in (3, 5, 8)]
        for row in sent:
            answers.put(store, row)
        await store.flushed()
        assert await store.log_after({WHOLE: 0}, 10) == sent
        assert await store.log_after({WHOLE: 3}, 1) == sent[1:2]
        assert await store.log_from(None) == {WHOLE: 8}
        assert await store.log_from({4: 7, 2: 5}) == {WHOLE: 5}
        assert store.log_of(sent[0].id) == WHOLE


async def test_the_position_of_a_hook_is_the_last_saved_one(base: Base) -> None:
    """W-04, W-08"""
    async with store_on(base) as store:
        crm, other = Memory(store, "crm"), Memory(store, "other")
        assert await crm.load() == ({}, 0)
        await crm.save({WHOLE: 3})
        await crm.save({WHOLE: 7})
        await other.save({1: 5, 2: 6})
        for _ in range(2):
            await crm.set_aside(7)
        await crm.switch_off()
    async with store_on(base) as store:
        position, off_since = await Memory(store, "crm").load()
        assert (position, off_since > 0) == ({WHOLE: 7}, True)
        assert await Memory(store, "other").load() == ({1: 5, 2: 6}, 0)
        assert await store.run("SELECT id FROM ganchos_apartados") in ([(7,)], [[7]])
