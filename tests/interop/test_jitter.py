"""Many real clients on a network that cuts connections every other second: each message arrives once and in order.

A small form of the benchmark `jitter`, from the same parts. The server does not notice some of the cuts: the client
reconnects while its old socket still looks alive to the server.
"""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from pathlib import Path
from typing import Any, Final

import pytest

from bench.crowd import People, crowd
from bench.jitter import SENDER, Plan, play
from bench.outages import Weather, network
from bench.rig import admin_name
from bench.tally import Verdict
from tests.interop.chat import Chat, token
from tests.interop.conftest import HERE, running_chat
from tests.interop.node import node_executable

CLIENT: Final = "socket.io-client-4.8"  # recovery came with 4.6
PLAN: Final = Plan(
    subscribers=30,
    seconds=5.0,
    every_ms=50,
    weather=Weather(cut_every_s=1.2, away_s=0.4, unnoticed=0.3),
)
# The client ignores a connection that ends between the 101 and the open packet: it waits for its `timeout`.
FAST: Final[dict[str, Any]] = {"reconnectionDelay": 50, "reconnectionDelayMax": 200, "timeout": 2_000}
WEBSOCKET: Final = FAST | {"transports": ["websocket"]}
DEFAULT: Final = FAST  # polling first, then the upgrade, so that both are cut
# A client whose WebSocket is cut during the upgrade notices only when a ping is missing, so pings are frequent.
FLAGS: Final = ("--message-rate", "0", "--ping-interval", "1", "--ping-timeout", "2")

pytestmark = pytest.mark.timeout(180)  # ten seconds each; more on a busy machine


async def jitter(chat: Chat, options: dict[str, Any], plan: Plan = PLAN, *, killed: bool = False) -> Verdict:
    """One run against a daemon, which is killed and restarted in the middle if `killed`."""

    async def restart() -> None:
        await asyncio.to_thread(chat.server.stop, signal.SIGKILL)
        await asyncio.to_thread(chat.server.start)

    admins = [token(admin_name(number), "admin") for number in range(plan.subscribers)]
    people = People(token(SENDER), admins, options)
    async with (
        crowd(Path(node_executable()), HERE, CLIENT) as clients,
        network(chat.server.port, plan.subscribers) as between,
    ):
        return await play(plan, clients, between, people, restart if killed else None)


@pytest.mark.parametrize("options", [WEBSOCKET, DEFAULT], ids=["websocket", "default"])
async def test_nothing_is_lost_on_a_bad_network(options: dict[str, Any], tmp_path: Path) -> None:
    with running_chat(tmp_path, "--recovery", "on", *FLAGS) as chat:
        verdict = await jitter(chat, options)
    assert verdict.deliveries.perfect, verdict.deliveries
    assert len(verdict.returned) > PLAN.subscribers
    assert all(back.recovered for back in verdict.returned)


@pytest.mark.parametrize("options", [WEBSOCKET, DEFAULT], ids=["websocket", "default"])
async def test_nothing_is_lost_when_the_daemon_is_killed_as_well(options: dict[str, Any], tmp_path: Path) -> None:
    with running_chat(tmp_path, "--recovery", "on", "--deliver", "stored", *FLAGS) as chat:
        verdict = await jitter(chat, options, killed=True)
    assert verdict.deliveries.perfect, verdict.deliveries
    assert len(verdict.killed) == PLAN.subscribers
    assert all(back.recovered for back in [*verdict.returned, *verdict.killed])


async def test_without_recovery_the_same_network_loses(tmp_path: Path) -> None:
    """Control: the tests above would prove nothing if this network lost no messages."""
    with running_chat(tmp_path, "--recovery", "off", *FLAGS) as chat:
        verdict = await jitter(chat, WEBSOCKET, dataclasses.replace(PLAN, seconds=2.0))
    assert verdict.deliveries.percent < 90
    assert (verdict.deliveries.doubled, verdict.deliveries.late, verdict.deliveries.damaged) == (0, 0, 0)
    assert not any(back.recovered for back in verdict.returned)
