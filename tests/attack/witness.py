"""Honest clients that chat in pairs until they are stopped, and measure what they notice of an attack.

Each pair is a user and an admin: the user writes, all admins receive it, the admin of the pair answers, and so on.
Every message is timed from sending to arrival; none may be lost, duplicated or out of order.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import time
from typing import Any, Final

from tests.chat.people import cookie, token
from tests.conformance.wire import Client, WebSocket

PATIENCE_S: Final = 20.0
PAUSE_S: Final = 0.02  # between two messages of one client


@dataclasses.dataclass(slots=True)
class Notes:
    """Measurements of all pairs; latencies in seconds."""

    latencies: list[float] = dataclasses.field(default_factory=list)
    acknowledged: int = 0
    lost: list[str] = dataclasses.field(default_factory=list)

    def report(self) -> str:
        ranked = sorted(self.latencies)
        p50, p99, longest = (ranked[int(len(ranked) * share)] * 1000 for share in (0.5, 0.99, 0.999999))
        return (
            f"honest clients: {len(ranked)} messages heard, {self.acknowledged} acknowledged, {len(self.lost)} lost; "
            f"latency p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {longest:.1f} ms"
        )

    @property
    def p99_s(self) -> float:
        return sorted(self.latencies)[int(len(self.latencies) * 0.99)]


class Witness:
    """One honest client."""

    def __init__(self, name: str, websocket: WebSocket, notes: Notes) -> None:
        self.name = name
        self.heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()  # sender and text
        self._websocket = websocket
        self._notes = notes
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def enter(cls, client: Client, name: str, rol: str, notes: Notes) -> Witness:
        websocket = await client.websocket(cookie(token(name, rol)))
        await websocket.send("40")
        assert str(await websocket.receive()).startswith("40{")
        return cls(name, websocket, notes)

    async def write(self, para: str, text: str) -> None:
        """Send a message, and wait for its acknowledgement."""
        number = len(self._answers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._websocket.send(f"42{number}" + json.dumps(["mensaje_privado", {"para": para, "mensaje": text}]))
        async with asyncio.timeout(PATIENCE_S):
            stored = await answer
        assert stored["ok"] is True, stored
        self._notes.acknowledged += 1

    async def hear_from(self, de: str) -> str:
        """The next message from `de`; messages of other senders are skipped."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                sender, text = await self.heard.get()
                if sender == de:
                    return text

    async def leave(self) -> None:
        """Disconnect. Raises the error that ended the session before, if any."""
        self._reading.cancel()
        self._websocket.close()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    async def _read(self) -> None:
        while True:
            message = str(await self._websocket.receive())
            if message == "2":
                await self._websocket.send("3")
            elif message.startswith("43"):
                number, _, argument = message[2:].partition("[")
                self._answers[int(number)].set_result(json.loads(argument[:-1]))
            else:
                event, said = json.loads(message.removeprefix("42"))
                assert event == "mensaje_recibido"
                self.heard.put_nowait((said["de"], said["mensaje"]))


async def converse(one: Witness, other: Witness, notes: Notes, until: asyncio.Event) -> None:
    """Write to each other in turn."""
    number = 0
    while not until.is_set():
        for writer, reader in ((one, other), (other, one)):
            number += 1
            text, begin = f"{number} from {writer.name}", time.perf_counter()
            _, heard = await asyncio.gather(writer.write(reader.name, text), reader.hear_from(writer.name))
            notes.latencies.append(time.perf_counter() - begin)
            if heard != text:
                notes.lost.append(text)
            await asyncio.sleep(PAUSE_S)
