"""A commit whose outcome is unknown."""

from __future__ import annotations

import asyncio
import functools

import pytest

from chatd.store.base import MessageId
from chatd.store.doubt import Doubt


@pytest.mark.parametrize("is_stored", [True, False])
async def test_waiting_callers_get_the_outcome(is_stored: bool) -> None:
    """P-11"""
    doubt = Doubt([MessageId(1)])
    waiting = asyncio.ensure_future(doubt.answer(20.0))
    await asyncio.sleep(0)
    doubt.decide(is_stored=is_stored)
    assert await waiting is is_stored
    assert await doubt.answer(0.0) is is_stored


async def test_callers_that_timed_out_get_nothing() -> None:
    """P-11"""
    assert await Doubt([MessageId(1)]).answer(0.0) is None


@pytest.mark.parametrize(("is_stored", "told"), [(True, [1, 2, 4]), (False, [])])
async def test_stored_rows_are_reported_in_the_order_of_the_commit(is_stored: bool, told: list[int]) -> None:
    """P-11: a message that was not in the commit is not reported."""
    doubt, heard = Doubt(map(MessageId, (1, 2, 3, 4))), list[int]()
    for number in (4, 2, 9, 1):
        doubt.if_stored(MessageId(number), functools.partial(heard.append, number))
    doubt.decide(is_stored=is_stored)
    assert heard == told
