"""Background tasks: the reference is kept, and a failure is logged."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from chatd.base.tasks import Tasks


async def wait_for_ever() -> None:
    """Only the task holds a reference to this future."""
    await asyncio.get_running_loop().create_future()


async def test_a_task_is_kept_until_it_ends() -> None:
    tasks = Tasks()
    reference = weakref.ref(tasks.start(wait_for_ever(), "wait"))
    await asyncio.sleep(0)
    gc.collect()
    task = reference()
    assert task is not None
    assert len(tasks) == 1
    task.cancel()
    await asyncio.wait([task])
    assert len(tasks) == 0


async def test_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()

    async def fail() -> None:
        raise ZeroDivisionError

    await asyncio.wait([tasks.start(fail(), "divide")])
    assert [record.message for record in caplog.records] == ["task divide failed"]
    assert caplog.records[0].exc_info
    assert len(tasks) == 0


async def test_a_task_that_is_cancelled_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()
    task = tasks.start(wait_for_ever(), "wait")
    task.cancel()
    await asyncio.wait([task])
    assert not caplog.records
    assert len(tasks) == 0
