"""Checks that the Redis of the bus and that of Node.js nodes accept a subscription. Rules N-01 and N-30."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from chatd.chat.config import ChatConfig
from chatd.cli.checks.finding import Findings

if TYPE_CHECKING:
    from chatd.cluster.redis.address import RedisAddress
    from chatd.cluster.redis.wire import Subscription

REACH_S: Final = 3.0


def check_redis(config: ChatConfig, findings: Findings) -> None:
    """A Redis that cannot be reached is only a warning: the daemon starts without it. Nothing is published."""
    if config.bus is None and config.bus_adapter == "off":
        return
    try:
        import hiredis  # noqa: F401, PLC0415 - it may not be installed
    except ModuleNotFoundError:
        setting = "bus" if config.bus is not None else "bus_adapter"
        findings.error(setting, "it needs the package hiredis: pip install 'chatd[cluster]'")
        return
    from chatd.chat.redis import adapter_address, bus_address  # noqa: PLC0415 - after hiredis
    from chatd.cluster.adapter.channels import Channels  # noqa: PLC0415
    from chatd.cluster.redis.wire import Subscription  # noqa: PLC0415

    if config.bus is not None:
        with findings.refused_as("bus"):
            _check("bus", bus_address(config), Subscription((config.bus_channel,)), findings)
    if config.bus_adapter != "off":
        with findings.refused_as("bus_adapter"):
            # Do not subscribe to requests: Node.js nodes would wait for an answer of this process.
            broadcasts = Subscription((), (Channels(config.bus_adapter_key).broadcasts,))
            _check("bus_adapter", adapter_address(config), broadcasts, findings)


def _check(setting: str, address: RedisAddress, subscription: Subscription, findings: Findings) -> None:
    fault = asyncio.run(_fault(address, subscription))
    if fault is None:
        findings.ok(setting, f"Redis at {address} answers")
        return
    cost = "messages take a second or two to other nodes" if setting == "bus" else "Node.js nodes hear nothing"
    findings.warning(setting, f"Redis at {address} cannot be used: {fault}: until then {cost}")


async def _fault(address: RedisAddress, subscription: Subscription) -> str | None:
    """Why Redis cannot be used; None if it can."""
    from chatd.cluster.redis import client  # noqa: PLC0415

    client.log.disabled = True  # a finding says it
    reached = Reached()
    redis = client.RedisClient("check", address, subscription, reached)
    redis.start()
    try:
        async with asyncio.timeout(REACH_S):
            await reached.is_up.wait()
    except TimeoutError:
        return redis.fault or "it answers and ends the connection"
    finally:
        await redis.close()
        client.log.disabled = False
    return None


class Reached:
    """See ClientHandler."""

    def __init__(self) -> None:
        self.is_up = asyncio.Event()

    def on_up(self) -> None:
        self.is_up.set()

    def on_down(self) -> None: ...

    def on_message(self, channel: bytes, data: bytes) -> None: ...
