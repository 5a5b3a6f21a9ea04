"""Concurrent queries of the history: their limits."""

from __future__ import annotations

import asyncio
from typing import Any

from chatd.chat.config import ChatConfig
from chatd.chat.history.historian import MAX_ASKED, MAX_ASKED_EACH
from chatd.store.base import StoreCode, StoreError
from chatd.store.history import Range, Read, Towards, Viewer
from tests.chat.rig import Line, Rig, WaitingStore, who


class EmptyLibrary:
    """A database without messages that answers when the test says so."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.fault: StoreError | None = None

    async def page(self, viewer: Viewer, con: str | None, span: Range, towards: Towards, rows: int) -> Read:
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return Read([], None)


class Shelf(WaitingStore):
    """The Store with only its history."""

    def __init__(self) -> None:
        super().__init__()
        self.empty = EmptyLibrary()

    @property
    def library(self) -> EmptyLibrary:
        return self.empty


def library() -> tuple[Rig, EmptyLibrary]:
    shelf = Shelf()
    config = ChatConfig(message_rate=0, presence="off", max_connections_per_user=0)
    return Rig(config, shelf), shelf.empty  # type: ignore[arg-type]  # as much of a store as this needs


async def settle(rig: Rig, line: Line, ack: int) -> Any:
    """Run the loop until that acknowledgement has arrived, at most a thousand turns."""
    for _ in range(1_000):
        await asyncio.sleep(0)
        rig.turn()
        if any(text.startswith(f"43{ack}[") for text in line.received):
            return line.answer(ack)
    raise AssertionError(f"no answer {ack} in {line.received}")


async def test_concurrent_queries_of_one_user_are_limited() -> None:
    """C-76"""
    rig, database = library()
    tabs, eva = [rig.enter(who("ana")), rig.enter(who("ana"))], rig.enter(who("eva"))
    for number in range(MAX_ASKED_EACH + 2):
        tabs[number % 2].emit("historial", {}, ack=number)
    eva.emit("historial", {}, ack=0)
    rig.turn()
    for number in (MAX_ASKED_EACH, MAX_ASKED_EACH + 1):
        assert tabs[number % 2].answer(number)["error"]["code"] == "history_busy"
    database.gate.set()
    for number in range(MAX_ASKED_EACH):
        assert await settle(rig, tabs[number % 2], number) == {"ok": True, "mensajes": [], "hay_mas": False}
    assert (await settle(rig, eva, 0))["ok"]
    tabs[0].emit("historial", {}, ack=99)
    assert (await settle(rig, tabs[0], 99))["ok"]


async def test_over_the_total_limit_each_user_may_have_one_query() -> None:
    """C-76"""
    rig, database = library()
    for number in range(MAX_ASKED):
        rig.enter(who(f"u{number}")).emit("historial", {}, ack=0)
    late = rig.enter(who("late"))
    for ack in (0, 1):
        late.emit("historial", {}, ack=ack)
    rig.turn()
    assert late.answer(1)["error"]["code"] == "history_busy"
    database.gate.set()
    assert (await settle(rig, late, 0))["ok"]
    late.emit("historial", {}, ack=2)
    assert (await settle(rig, late, 2))["ok"]


async def test_a_failed_query_is_refused_and_frees_its_place() -> None:
    """C-76"""
    rig, database = library()
    ana = rig.enter(who("ana"))
    database.gate.set()
    database.fault = StoreError(StoreCode.UNAVAILABLE, "the database cannot be read: try again later", retry=True)
    for number in range(2 * MAX_ASKED_EACH):
        ana.emit("historial", {}, ack=number)
        assert (await settle(rig, ana, number))["error"]["code"] == "store_unavailable"


async def test_an_answer_for_a_disconnected_client_is_dropped() -> None:
    """C-76"""
    rig, database = library()
    ana = rig.enter(who("ana"))
    ana.emit("historial", {}, ack=0)
    ana.send("1")
    database.gate.set()
    for _ in range(10):
        await asyncio.sleep(0)
        rig.turn()
    assert not any(text.startswith("430") for text in ana.received)
