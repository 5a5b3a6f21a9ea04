"""Where tasks are started, so that none is lost: asyncio itself keeps only a weak reference, and no failure.

Its callers: the door of a namespace that is a coroutine, the writer, the lookups and the retention of the store, a
listener, for as long as a connection opens, recovery, for as long as a client catches up, history, for as long as a
question about the past is under way, and a team of admins, for what it reads and writes. Nothing starts a task for a
message or for a connection that is open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("chatd.base.tasks")


class Tasks:
    """The running tasks. A failure is logged when its task ends."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._on_done)
        return task

    def __len__(self) -> int:
        return len(self._running)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed", task.get_name(), exc_info=error)
