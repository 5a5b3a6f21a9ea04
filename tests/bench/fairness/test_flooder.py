"""Every flood does to a real daemon what its name says."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from bench.fairness.flooder import Done, Order, run
from bench.fairness.floods import FLOODS, SHORT, Flood, chosen
from bench.fairness.visits import strangers
from bench.fairness.wire import text
from tests.chat.people import chatting, token

KINDS = {flood.visit: flood for flood in FLOODS.values()}
BROKEN = Flood(name="broken", sockets=2, visit=strangers(text("no packet")))
PATIENCE_S = 10.0  # for a busy machine


async def _flooded(flood: Flood, port: int, seconds: float) -> Done:
    order = Order(flood.name, port, "127.0.0.3", token(flood.user, flood.rol), (token("x") + "x",), seconds)
    return await run(order, dataclasses.replace(flood, sockets=2), asyncio.get_running_loop().create_future())


@pytest.mark.parametrize("flood", KINDS.values(), ids=lambda flood: flood.name)
async def test_a_flood_keeps_the_daemon_busy_and_does_not_end_it(flood: Flood, tmp_path: Path) -> None:
    settings = {name.removeprefix("CHATD_").lower(): value for name, value in flood.settings.items()}
    async with chatting(tmp_path / "chat.db", **settings) as chat:
        done = await _flooded(flood, chat.client.port, 0.3)
        if done.rounds == 0:
            done = await _flooded(flood, chat.client.port, PATIENCE_S)
        assert done.rounds > 0
        assert done.opened >= 2
        ana = await chat.enter("ana")
        assert (await ana.write("root", "hola"))["ok"] is True


async def test_a_flood_ends_on_command(tmp_path: Path) -> None:
    async with chatting(tmp_path / "chat.db") as chat:
        stopped = asyncio.get_running_loop().create_future()
        order = Order("noop-1", chat.client.port, "127.0.0.3", token("x"), (), 600.0)
        asyncio.get_running_loop().call_later(0.1, stopped.set_result, b"")
        async with asyncio.timeout(20):
            done = await run(order, FLOODS["noop-1"], stopped)
        assert done.sent_bytes > 0


async def test_a_disconnected_attacker_reconnects(tmp_path: Path) -> None:
    async with chatting(tmp_path / "chat.db") as chat:
        done = await _flooded(BROKEN, chat.client.port, 0.3)
        if done.ended == 0:
            done = await _flooded(BROKEN, chat.client.port, PATIENCE_S)
        assert done.ended > 0
        assert done.opened > 2


def test_floods_are_chosen_by_name_and_by_kind() -> None:
    assert [flood.name for flood in chosen(["noop", "churn-50"])] == ["noop-1", "noop-100", "noop-900", "churn-50"]
    assert len(chosen(SHORT)) == len(SHORT)
    with pytest.raises(KeyError):
        chosen(["nothing"])
