"""Chat clients over real sockets, in a short notation:

    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    stored = await ana.write("root", "hola")
    assert await root.inbox() == [["mensaje_recibido", {"de": "ana", "mensaje": "hola"}]]

A person is one socket. The daemon runs in this process, with its own database (`chatting`), or in another process
(daemon.py).
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final, cast

import jwt

from chatd.daemon.config import OPTIONS, Raw, load
from chatd.daemon.floors import build
from chatd.daemon.opening import Opened
from chatd.engineio.server import EngineServer
from chatd.socketio.namespace import Namespace
from chatd.socketio.server import SocketIoServer
from chatd.store.choose import make_store
from chatd.store.sqlite import SqliteStore
from tests.conformance.serving import serving
from tests.conformance.wire import Client, WebSocket

SECRET: Final = "a secret of forty bytes, for tests alone"

Event = list[Any]
"""The name and the arguments of an event."""

_EVENT: Final = re.compile(r"42(?P<ack>\d*)(?P<event>\[.*)", re.DOTALL)
_ANSWER: Final = re.compile(r"43(?P<ack>\d+)(?P<arguments>\[.*)", re.DOTALL)


def token(user: object, rol: object = "user", *, ttl_s: float = 3600.0, secret: str = SECRET, **claims: object) -> str:
    """A token as the application's login makes it; a claim whose value is `...` is left out."""
    said = {"user": user, "name": "A Name", "rol": rol, "exp": int(time.time() + ttl_s), **claims}
    payload = {name: value for name, value in said.items() if value is not ...}
    return jwt.encode(payload, secret, algorithm="HS256")


def cookie(text: str) -> dict[str, str]:
    """The header of a browser with the token in its cookie."""
    return {"Cookie": f"token={text}"}


class Person:
    """One socket in the main namespace. It reads on demand, in the order of the wire."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self._heard: deque[Event] = deque()
        self._answers: dict[int, list[Any]] = {}
        self._ack_ids = itertools.count()

    async def emit(self, event: object, *arguments: object) -> None:
        """Send an event without an acknowledgement id."""
        await self.websocket.send("42" + json.dumps([event, *arguments]))

    async def begin(self, event: object, *arguments: object) -> int:
        """Send an event with an acknowledgement id; return the id for `answer`."""
        ack_id = next(self._ack_ids)
        await self.websocket.send(f"42{ack_id}" + json.dumps([event, *arguments]))
        return ack_id

    async def answer(self, ack_id: int) -> Any:
        """The acknowledgement of an event, one argument. Raises ClosedError if the session ends before."""
        while ack_id not in self._answers:
            await self._read()
        [argument] = self._answers.pop(ack_id)
        return argument

    async def ask(self, event: object, *arguments: object) -> Any:
        """Send an event and wait for its acknowledgement."""
        return await self.answer(await self.begin(event, *arguments))

    async def write(self, para: object, mensaje: object) -> Any:
        """Send a message and wait for its acknowledgement."""
        return await self.ask("mensaje_privado", {"para": para, "mensaje": mensaje})

    async def hear(self) -> Event:
        """The next event. Raises ClosedError if the session ends before."""
        while not self._heard:
            await self._read()
        return self._heard.popleft()

    async def inbox(self) -> list[Event]:
        """All events that the server has sent so far and that were not read.

        A question is answered after all of them, because the packets of a socket keep their order.
        """
        assert (await self.ask("what have I got?"))["error"]["code"] == "unknown_event"
        heard = list(self._heard)
        self._heard.clear()
        return heard

    async def last_words(self) -> list[str | bytes]:
        """All packets until the server closes; fails after the timeout of the wire."""
        return await self.websocket.messages_until_closed()

    async def leave(self) -> None:
        """Leave the namespace; the session stays open."""
        await self.websocket.send("41")

    def vanish(self) -> None:
        """Abort the TCP connection."""
        self.websocket.abort()

    async def _read(self) -> None:
        message = await self.websocket.receive()
        assert isinstance(message, str)
        if message == "2":
            await self.websocket.send("3")
        elif answered := _ANSWER.fullmatch(message):
            self._answers[int(answered["ack"])] = json.loads(answered["arguments"])
        elif heard := _EVENT.fullmatch(message):
            assert not heard["ack"], f"the server asks for no acknowledgements: {message}"
            self._heard.append(json.loads(heard["event"]))
        else:
            raise AssertionError(f"the server sent {message!r}")


async def enter(client: Client, user: str, rol: str = "user") -> Person:
    """A socket of `user`, by cookie, that has joined the main namespace."""
    return await join(client, headers=cookie(token(user, rol)))


async def join(client: Client, headers: dict[str, str] | None = None, auth: object = None, **query: str) -> Person:
    """A socket that has joined with these headers and this auth; fails if it is refused."""
    answer, websocket = await connect(client, headers, auth, **query)
    assert answer.startswith('40{"sid":'), answer
    return Person(websocket)


async def refused(client: Client, headers: dict[str, str] | None = None, auth: object = None) -> tuple[str, str]:
    """The code and the message of a refused CONNECT; the session must stay open."""
    answer, websocket = await connect(client, headers, auth)
    assert answer.startswith("44{"), answer
    error = json.loads(answer[2:])
    assert error.keys() == {"message", "data"}
    assert error["data"].keys() == {"code"}
    await websocket.send("40/still-here,")
    assert await websocket.receive() == '44/still-here,{"message":"Invalid namespace"}'
    return error["data"]["code"], error["message"]


async def connect(
    client: Client, headers: dict[str, str] | None = None, auth: object = None, **query: str
) -> tuple[str, WebSocket]:
    """Send a CONNECT on a new WebSocket; return the answer and the socket."""
    websocket = await client.websocket(headers or {}, early=b"", **query)
    await websocket.send("40" if auth is None else "40" + json.dumps(auth))
    answer = await websocket.receive()
    assert isinstance(answer, str)
    return answer, websocket


@dataclasses.dataclass(frozen=True, slots=True)
class Chat:
    """A daemon in this process."""

    client: Client
    engine: EngineServer
    store: SqliteStore

    async def enter(self, user: str, rol: str = "user") -> Person:
        """A socket of `user`, by cookie, that has joined the main namespace."""
        return await enter(self.client, user, rol)

    @property
    def namespace(self) -> Namespace:
        """The main namespace, for its rooms and for what an operator can do."""
        socketio = cast(SocketIoServer, cast(Any, self.engine)._hooks.accept.__self__)
        return socketio.namespaces["/"]

    @property
    def rooms(self) -> dict[str, int]:
        """The number of sockets in each room."""
        return {room: len(members) for room, members in self.namespace.rooms._members.items()}

    async def sqlite(self, statement: str) -> None:
        """Run a statement on the daemon's own write connection."""
        assert self.store._connection is not None
        await self.store._connection.execute_fetchall(statement)


@contextlib.asynccontextmanager
async def chatting(db: object, **settings: Raw) -> AsyncIterator[Chat]:
    """A daemon with these settings, by their public names.

    Unless the settings say otherwise, there is no limit on the rate of messages, and there are no presence events.
    """
    assert settings.keys() <= {option.name for option in OPTIONS}
    config = load(
        {"db": str(db), "message_rate": "0", "max_chars_per_minute": "0", "presence": "off", **settings},
        {"CHATD_JWT_SECRET": SECRET},
    )
    store = cast(SqliteStore, make_store(config.store))  # a PostgreSQL store if `db` is its URL
    last_id = await store.open()
    try:
        engine = build(config, Opened(store, last_id)).engine
        async with serving(engine.connection, config.engineio.path) as client:
            yield Chat(client, engine, store)
    finally:
        await store.flushed()
        await store.close()
