"""Clients of a soak: each visit connects, does something and disconnects, in one of many ways.

The ways are random; every message that the server acknowledges is recorded.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from tests.chat.people import cookie, token
from tests.conformance.wire import (
    BINARY,
    CLOSE,
    SEPARATOR,
    Client,
    ClosedError,
    PollingSession,
    RefusedUpgradeError,
    WebSocket,
    frame_bytes,
    request_bytes,
    text_frame,
)

USERS: Final = 20
GONE: Final = (ClosedError, RefusedUpgradeError, OSError, EOFError)
"""How a visit may end early: admins receive so many messages that a slow one is disconnected."""


Visit = Callable[["Visitors", Client], Awaitable[None]]
Place = tuple[str, int, str]
"""Host, port and path."""


@dataclasses.dataclass(slots=True)
class Guestbook:
    """The texts that were sent and those that were acknowledged."""

    visits: Counter[str] = dataclasses.field(default_factory=Counter)
    sent: set[str] = dataclasses.field(default_factory=set)
    acknowledged: dict[str, int] = dataclasses.field(default_factory=dict)


class Visitors:
    """Makes visits to one server, with one random generator and a book. `places`: where each kind of visit is made."""

    def __init__(self, places: Sequence[tuple[Sequence[Visit], Place]], dice: random.Random) -> None:
        self.book = Guestbook()
        self._visits = [(visit, place) for visits, place in places for visit in visits]
        self._dice = dice
        self._numbers = itertools.count()
        self.junk = token("user-0", secret="another secret, of which the daemon knows nothing")
        self._tokens = [token(f"user-{number}", "admin" if number < 3 else "user") for number in range(USERS)]

    async def visit(self) -> None:
        kind, place = self._dice.choice(self._visits)
        self.book.visits[kind.__name__] += 1
        async with Client(*place) as client:
            with contextlib.suppress(*GONE):
                await kind(self, client)

    # Parts of visits.

    def cookie(self) -> dict[str, str]:
        return cookie(self._dice.choice(self._tokens))

    def number(self, greatest: int) -> int:
        """From 1 to `greatest`."""
        return self._dice.randint(1, greatest)

    def user(self) -> str:
        return f"user-{self._dice.randrange(USERS)}"

    def fields(self) -> dict[str, Any]:
        """A message with a unique text."""
        text = f"message {next(self._numbers)}"
        self.book.sent.add(text)
        return {"para": self.user(), "mensaje": text, **({"cid": text} if self._dice.random() < 0.1 else {})}

    def message(self, ack_id: int) -> tuple[str, str]:
        """The text of a message, and the packet that sends it."""
        fields = self.fields()
        return fields["mensaje"], f"42{ack_id}" + json.dumps(["mensaje_privado", fields])

    def acknowledge(self, text: str, answer: str) -> None:
        stored = json.loads(answer[answer.index("[") :])[0]
        assert stored["ok"] is True, stored
        self.book.acknowledged[text] = int(stored["id"])

    async def leave(self, socket: WebSocket) -> None:
        """Disconnect in one of six ways; the last one is a broken connection."""
        match self._dice.randrange(6):
            case 0:
                await socket.send("41")
            case 1:
                await socket.send("1")
            case 2:
                await socket.send_frame(CLOSE, b"\x03\xe8")
            case 3:
                await socket.send("no packet")
            case 4:
                socket.close()
            case _:
                socket.abort()

    async def talk(self, socket: WebSocket) -> None:
        """Some messages, each acknowledged before the next is sent."""
        for ack_id in range(self._dice.randrange(8)):
            text, packet = self.message(ack_id)
            await socket.send(packet)
            self.acknowledge(text, await heard(socket, f"43{ack_id}["))


async def heard(socket: WebSocket, start: str) -> str:
    """The next message that begins with `start`; pings are answered meanwhile."""
    while not (message := str(await socket.receive())).startswith(start):
        if message == "2":
            await socket.send("3")
    return message


async def joined(visitors: Visitors, client: Client) -> WebSocket:
    socket = await client.websocket(visitors.cookie())
    await socket.send("40")
    await heard(socket, "40{")
    return socket


async def polled(session: PollingSession, start: str) -> str:
    """Poll until a packet begins with `start`; raises EOFError when the session has ended."""
    while True:
        answer = await session.get()
        if answer.status != 200:
            raise EOFError
        for packet in answer.packets:
            if packet.startswith(start):
                return packet


async def by_websocket(visitors: Visitors, client: Client) -> None:
    socket = await joined(visitors, client)
    await visitors.talk(socket)
    await visitors.leave(socket)


async def in_a_hurry(visitors: Visitors, client: Client) -> None:
    """Sends and disconnects before any answer."""
    socket = await joined(visitors, client)
    for ack_id in range(5):
        await socket.send(visitors.message(ack_id)[1])
    socket.abort()


async def by_polling(visitors: Visitors, client: Client) -> None:
    session = await client.polling(visitors.cookie())
    await session.post("40")
    await polled(session, "40{")
    for ack_id in range(visitors._dice.randrange(4)):
        text, packet = visitors.message(ack_id)
        await session.post(packet)
        visitors.acknowledge(text, await polled(session, f"43{ack_id}["))
    if visitors._dice.random() < 0.5:
        await session.post(visitors._dice.choice(["1", "41", SEPARATOR.join(["41", "1"]), "no packet"]))


async def by_upgrade(visitors: Visitors, client: Client) -> None:
    session = await client.polling(visitors.cookie())
    await session.post("40")
    await polled(session, "40{")
    socket = await session.upgrade()
    await socket.send("2probe")
    assert await socket.receive() == "3probe"
    if visitors._dice.random() < 0.3:
        await visitors.leave(socket)  # during the upgrade: polling goes on, or ends with the session
        await session.post("1")
        return
    await socket.send("5")
    await visitors.talk(socket)
    await visitors.leave(socket)


async def with_attachments(visitors: Visitors, client: Client) -> None:
    """Attachments that are announced, and sent or not."""
    socket = await joined(visitors, client)
    await socket.send('452-7["picture",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    for _ in range(visitors._dice.randrange(3)):
        await socket.send(b"x" * 5_000)
    await visitors.leave(socket)


async def without_a_token(visitors: Visitors, client: Client) -> None:
    """A CONNECT that is refused; the connection stays open for a while."""
    socket = await client.websocket(cookie("a.b.c"))
    await socket.send("40")
    await heard(socket, "44{")
    await visitors.leave(socket)


async def unseen(visitors: Visitors, client: Client) -> None:
    """A session that is opened and never used."""
    await client.polling()


async def half_a_request(visitors: Visitors, client: Client) -> None:
    connection = await client.connect()
    connection.write(b"POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4"[:70])
    await client.settled()


async def joins_and_leaves(visitors: Visitors, client: Client) -> None:
    """The same socket joins and leaves many times, and then sends messages."""
    socket = await joined(visitors, client)
    for _ in range(visitors.number(20)):
        await socket.send("41")
        await socket.send("40")
        await heard(socket, "40{")
    await visitors.talk(socket)
    await visitors.leave(socket)


async def refused_again_and_again(visitors: Visitors, client: Client) -> None:
    """Unknown namespaces and tokens with a wrong signature, without waiting for each answer."""
    socket = await client.websocket()
    packets = ["40/nope,", "40" + json.dumps({"token": visitors.junk})] * visitors.number(20)
    for packet in packets:
        await socket.send(packet)
    for _ in packets:
        await heard(socket, "44")
    await visitors.leave(socket)


async def sends_noops(visitors: Visitors, client: Client) -> None:
    """NOOPs, before and after the CONNECT."""
    socket = await client.websocket(visitors.cookie())
    await socket.send_raw(text_frame("6") * visitors.number(5_000))
    await socket.send("40")
    await heard(socket, "40{")
    await socket.send_raw(text_frame("6") * visitors.number(5_000))
    await visitors.talk(socket)
    await visitors.leave(socket)


async def polling_sessions(visitors: Visitors, client: Client) -> None:
    """Sessions that are opened and closed, one after the other."""
    for _ in range(visitors.number(10)):
        session = await client.polling()
        await session.post("1")


async def pipelined(visitors: Visitors, client: Client) -> None:
    """Many pipelined requests, of which some answers are read."""
    connection, requests = await client.connect(), visitors.number(200)
    connection.write(request_bytes("GET", client.target(transport="none")) * requests)
    for _ in range(visitors.number(requests)):
        await connection.answer()


async def unfinished_frame(visitors: Visitors, client: Client) -> None:
    """A message that is never finished, in one frame or in several, from a client that may have joined."""
    stranger = visitors.number(2) == 1
    socket = await client.websocket() if stranger else await joined(visitors, client)
    whole = frame_bytes(BINARY, bytes(50_000), fin=visitors.number(2) == 1)
    await socket.send_raw(whole[: visitors.number(len(whole))])
    await visitors.leave(socket)


async def unfinished_body(visitors: Visitors, client: Client) -> None:
    """An unfinished POST, after a waiting poll or alone."""
    session, connection = await client.polling(), await client.connect()
    poll = request_bytes("GET", session.target()) * (visitors.number(2) - 1)
    connection.write(poll + request_bytes("POST", session.target(), {"Content-Length": "50000"}))
    connection.write(bytes(visitors.number(50_000) - 1))
    await client.settled()


VISITS: Final[tuple[Visit, ...]] = (
    by_websocket,
    by_websocket,
    by_websocket,
    in_a_hurry,
    by_polling,
    by_upgrade,
    by_upgrade,
    with_attachments,
    without_a_token,
    unseen,
    half_a_request,
    joins_and_leaves,
    refused_again_and_again,
    sends_noops,
    polling_sessions,
    pipelined,
    unfinished_frame,
    unfinished_body,
)
