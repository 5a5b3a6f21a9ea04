"""The steps that each client of the table runs. A step is recorded for a choice of transports once it has passed."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import socketio

from tests.interop.chat import Chat, token
from tests.interop.clients.rows import Row, Way
from tests.interop.clients.seats import Seat
from tests.interop.node import PATIENCE_S, JsSocket
from tests.interop.proxy import Proxy
from tests.web.blocking import BlockingProxy, Treatment

USER: Final = "ana"
ADMIN: Final = "root"
AUTH: Final = {"auth": {"token": token(USER)}}
# Short delays, so that the tests do not wait for the client's default ones.
PAUSES: Final = {"reconnectionDelay": 50, "reconnectionDelayMax": 200}


@dataclasses.dataclass(slots=True)
class Visit:
    """One choice of transports of a row: its socket, and the steps that passed."""

    name: str
    way: Way
    passed: list[str] = dataclasses.field(default_factory=list)
    socket: JsSocket | None = None
    restarted: float = 0.0
    """When the daemon accepted connections again."""

    @property
    def here(self) -> JsSocket:
        assert self.socket is not None
        return self.socket

    @property
    def last_transport(self) -> str:
        return "polling" if self.name == "polling" else "websocket"


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """State shared by all steps of a row. Clients connect to the daemon through the proxy `between`."""

    row: Row
    seat: Seat
    chat: Chat
    between: Proxy
    back_s: float = PATIENCE_S
    """Each client must reconnect within this time after a restart of the daemon."""

    async def connect(self, visit: Visit, **options: Any) -> JsSocket:
        """A connected socket of the user, after its upgrade."""
        socket = await self.seat.driver.open(self.between.url, **PAUSES, **{**visit.way.options, **options})
        await socket.connected()
        if visit.name == "upgrade":
            await socket.upgraded()
        assert await socket.transport() == visit.last_transport
        await known(socket)
        return socket

    async def write(self, text: str) -> None:
        """Send a message from the administrator to the user."""
        async with socketio.AsyncSimpleClient() as admin:
            await admin.connect(self.chat.url, auth={"token": token(ADMIN, "admin")}, transports=["websocket"])
            answer = await admin.call("mensaje_privado", {"para": USER, "mensaje": text})
            assert answer["id"], answer


async def auth(stage: Stage, visit: Visit) -> None:
    visit.socket = await stage.connect(visit, **AUTH)


async def cookie(stage: Stage, visit: Visit) -> None:
    """The next steps use this socket if the choice of transports can send a cookie."""
    given = await stage.seat.cookie(token(USER))
    await visit.here.close()
    visit.socket = await stage.connect(visit, **given)


async def acknowledgement(stage: Stage, visit: Visit) -> None:
    text = f"sent over {visit.name}"
    [answer] = await visit.here.ask("mensaje_privado", {"para": ADMIN, "mensaje": text})
    assert [row["id"] for row in stage.chat.rows(text)] == [int(answer["id"])]


async def receive(stage: Stage, visit: Visit) -> None:
    await hear(visit, "to all of them")


async def reconnect(stage: Stage, visit: Visit) -> None:
    """`_before` has restarted the daemon. C-20, E-50"""
    await visit.here.hear(":connect")
    assert time.monotonic() - visit.restarted < stage.back_s
    await known(visit.here)


async def recover(stage: Stage, visit: Visit) -> None:
    """`_before` has cut the network while the administrator wrote."""
    assert (await visit.here.hear(":connect"))[0]["recovered"] is True
    await hear(visit, "while they were away")
    assert visit.here.heard("mensaje_recibido") == 0


async def no_slash(stage: Stage, visit: Visit) -> None:
    socket = await stage.connect(visit, path="/socket.io", addTrailingSlash=False, **AUTH)
    await socket.close()


async def try_all(stage: Stage, visit: Visit) -> None:
    """The proxy blocks WebSocket: the client tries its next transport."""
    transports = [*reversed(visit.way.options.get("transports", ["polling", "websocket"]))]
    options = {"transports": transports, "tryAllTransports": True, **AUTH, **PAUSES}
    async with BlockingProxy(stage.chat.server.port, Treatment.REFUSE).run() as blocking:
        socket = await stage.seat.driver.open(blocking.url, **options)
        assert (await socket.connected())["transport"] == "polling"
        assert blocking.asked > 0
        await socket.close()


async def remember(stage: Stage, visit: Visit) -> None:
    """The second connection starts as a WebSocket, since the first one had upgraded."""
    await (await stage.connect(visit, rememberUpgrade=True, **AUTH)).close()
    options = {**visit.way.options, "rememberUpgrade": True, **AUTH, **PAUSES}
    socket = await stage.seat.driver.open(stage.between.url, **options)
    assert (await socket.connected())["transport"] == "websocket"
    await socket.close()


async def known(socket: JsSocket) -> None:
    """Check that the daemon has authenticated the socket as the user."""
    [answer] = await socket.ask("quien_soy")
    assert answer["user"] == USER, answer


async def hear(visit: Visit, text: str) -> None:
    [message, *_] = await visit.here.hear("mensaje_recibido")
    assert (message["de"], message["mensaje"]) == (ADMIN, text)


Step = Callable[[Stage, Visit], Awaitable[None]]


def _has_cookie(row: Row, visit: Visit) -> bool:
    return visit.way.cookie


def _upgrades(row: Row, visit: Visit) -> bool:
    return row.options and visit.name == "upgrade"


def _always(row: Row, visit: Visit) -> bool:
    return True


def _recovers(row: Row, visit: Visit) -> bool:
    return row.recovers


def _has_options(row: Row, visit: Visit) -> bool:
    return row.options


# In this order. All choices of transports of a row run a step together, since a restart of the daemon hits them all.
STEPS: Final[tuple[tuple[str, Step, Callable[[Row, Visit], bool]], ...]] = (
    ("auth", auth, _always),
    ("cookie", cookie, _has_cookie),
    ("acknowledgement", acknowledgement, _always),
    ("receive", receive, _always),
    ("reconnect after a restart", reconnect, _always),
    ("recovery", recover, _recovers),
    ("addTrailingSlash", no_slash, _has_options),
    ("tryAllTransports", try_all, _upgrades),
    ("rememberUpgrade", remember, _upgrades),
)
NAMES: Final = tuple(name for name, _, _ in STEPS)


async def _before(stage: Stage, name: str, taking: list[Visit]) -> None:
    """Restart the daemon or cut the network for all visits of a step. End the outage when every client has noticed it:
    Firefox repeats a poll whose connection was cut, and its client would see no outage."""
    match name:
        case "receive":
            await stage.write("to all of them")
        case "reconnect after a restart":
            await asyncio.to_thread(stage.chat.server.stop)
            await _cut_off(taking)
            await asyncio.to_thread(stage.chat.server.start)
            for visit in taking:
                visit.restarted = time.monotonic()
        case "recovery":
            stage.between.interrupt()
            await _cut_off(taking)
            await stage.write("while they were away")
            stage.between.restore()


async def _cut_off(visits: list[Visit]) -> None:
    for visit in visits:
        await visit.here.hear(":disconnect")


async def play(stage: Stage) -> dict[str, list[str]]:
    """Run all steps. Returns the steps that passed, by choice of transports."""
    visits = [Visit(name, way) for name, way in stage.row.ways.items()]
    for name, step, applies in STEPS:
        taking = [visit for visit in visits if applies(stage.row, visit)]
        if taking:
            await _before(stage, name, taking)
        await asyncio.gather(*(step(stage, visit) for visit in taking))
        for visit in taking:
            visit.passed.append(name)
    return {visit.name: visit.passed for visit in visits}
