"""JavaScript clients that write to an admin on a booted machine until the test ends them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from tests.interop.chat import with_cookie
from tests.interop.node import Driver, JsSocket, node_executable, running_driver
from tests.interop.test_retries import RETRYING, Talker
from tests.systemd.machine import Machine

CONFIG: Final = "/etc/chatd/chatd.toml"
UNHURRIED: Final = '[chat]\nmessage_rate = 0\nmax_chars_per_minute = 0\nrecovery = "on"\n'
"""Settings for the configuration file: higher rate limits, and recovery."""
TRANSPORTS: Final = (["polling"], ["websocket"], ["polling", "websocket"])
URL: Final = "http://127.0.0.1:8400"


class Load:
    """Users who send all the time, and the admin who receives."""

    def __init__(self, talkers: list[Talker], talking: list[asyncio.Task[None]]) -> None:
        self._talkers = talkers
        self._talking = talking

    async def goes_on(self) -> None:
        """Wait until each user has a further acknowledgement."""
        assert not any(one.done() for one in self._talking)
        for talker in self._talkers:
            talker.acknowledged.clear()
        for talker in self._talkers:
            await talker.acknowledged.wait()


@contextlib.asynccontextmanager
async def talking(on: Machine, folder: Path) -> AsyncIterator[Load]:
    """Afterwards each acknowledged message must be stored and received exactly once. CONFIG needs UNHURRIED."""
    node = folder / "node"
    node.write_text(f'#!/bin/sh\nexec {" ".join(on.on_its_network())} {node_executable()} "$@"\n')
    node.chmod(0o755)
    async with running_driver(str(node), "4.8") as driver:
        admin = await _enter(driver, on, "root", "admin", reconnectionDelayMax=100)
        talkers = []
        for number, way in enumerate(TRANSPORTS):
            user = f"user-{number}"
            talkers.append(Talker(await _enter(driver, on, user, "user", transports=way, **RETRYING), user))
        async with asyncio.TaskGroup() as group:
            load = Load(talkers, [group.create_task(talker.talk()) for talker in talkers])
            await load.goes_on()
            yield load
            await load.goes_on()
            for talker in talkers:
                talker.last_round = True
        said = {text: answer["id"] for talker in talkers for text, answer in talker.answers.items()}
        heard = [(await admin.hear("mensaje_recibido"))[0]["mensaje"] for _ in said]
        assert (sorted(heard), admin.heard("mensaje_recibido")) == (sorted(said), 0)
    stored = sorted((row["mensaje"], row["id"]) for row in messages(on) if row["de"].startswith("user-"))
    assert stored == sorted(said.items())


def messages(on: Machine) -> list[dict[str, Any]]:
    return [json.loads(line) for line in on.run(f"chatd export --config {CONFIG}").splitlines()]


async def _enter(driver: Driver, on: Machine, user: str, rol: str, **options: Any) -> JsSocket:
    token = on.run(f"chatd token --user {user} --rol {rol} --config {CONFIG}").strip()
    socket = await driver.open(URL, **with_cookie(token), **options)
    await socket.connected()
    return socket
