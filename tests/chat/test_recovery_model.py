"""Any sequence of messages, disconnects, reconnects, slow readers and kills, checked against the expected messages.

A client behaves like the JavaScript client: it remembers its pid and the last offset that it has read, and packets
not yet read at a disconnect are lost. The database is real, and a kill keeps only what was committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from unittest import mock

from hypothesis import given, note, settings
from hypothesis import strategies as st

from chatd.auth import Identity
from chatd.chat.config import ChatConfig
from chatd.chat.messages import feed
from chatd.chat.recovery import pages, recovery, replay
from chatd.engineio.outgoing import Outgoing, OutgoingPacket
from chatd.engineio.reasons import CloseReason
from chatd.store.base import Done, Message
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore
from tests.chat.rig import Line, Rig, who

# So small that every bound is reached.
SMALL: Final = (
    (pages, "MAX_ROWS", 2),
    (pages, "MAX_BATCH", 2),
    (pages, "_KEPT_FOR_OTHERS", 1),
    (feed, "MAX_KEPT", 3),
    (replay, "PORTION_BYTES", 150),
    (recovery, "SHORTEST_WAIT_S", 0.0005),
    (recovery, "LONGEST_WAIT_S", 0.001),
    (recovery, "PATIENCE_S", 1e9),
)
PEOPLE: Final = (who("ana"), who("eva"), who("root", "admin"), who("boss", "admin"), who("ana"))
UNLIMITED: Final = 1_000
SETTLE_S: Final = 20.0  # for a busy machine


@contextlib.contextmanager
def small_bounds() -> Iterator[None]:
    with contextlib.ExitStack() as patches:
        for module, name, value in SMALL:
            patches.enter_context(mock.patch.object(module, name, value))
        yield


class SlowLine(Line):
    """Packets wait until the client reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.unread: list[OutgoingPacket] = []

    @property
    def queued_bytes(self) -> int:  # type: ignore[override]
        return sum(len(packet.frame) for packet in self.unread)

    @property
    def writable(self) -> bool:  # type: ignore[override]
        return not self.unread

    def deliver(self, packets: Outgoing) -> None:
        self.unread += packets.packets

    def read(self, count: int) -> list[str]:
        read, self.unread = self.unread[:count], self.unread[count:]
        return [packet.text.decode() for packet in read]


class Person:
    """A client that recovers after every disconnect."""

    def __init__(self, identity: Identity, *, unlimited: bool) -> None:
        self.identity = identity
        self.unlimited = unlimited  # every missed message can be replayed
        self.asked = False
        self.line: SlowLine | None = None
        self.pid: str | None = None
        self.offset: str | None = None
        self.recovered = False
        self.up_to_date = False
        self.since: int | None = None
        self.has: list[int] = []

    def connect(self, rig: Rig) -> None:
        """Connect, also while the old connection is still open."""
        self.up_to_date = False
        self.line = SlowLine()
        self.asked = self.offset is not None
        auth = json.dumps({"pid": self.pid, "offset": self.offset}) if self.asked else ""
        rig.enter(self.identity, self.line, auth)

    def cut(self) -> None:
        line, self.line = self.line, None
        if line is not None and line.closed is None:
            line.session.on_transport_closed(CloseReason.TRANSPORT_CLOSE)

    def read(self, count: int) -> None:
        for text in self.line.read(count) if self.line else ():
            if text.startswith("40"):
                answer = json.loads(text[2:])
                self.recovered, self.pid = answer["pid"] == self.pid, answer["pid"]
            elif text.startswith("42"):
                self._on_event(*json.loads(text[2:]))

    def _on_event(self, event: str, argument: dict[str, Any], offset: str) -> None:
        self.offset = offset
        if event == "mensaje_recibido":
            self.has.append(int(argument["mensaje"].split()[0]))
            return
        assert (event, argument["ultimo"]) == ("al_dia", offset)
        assert argument["completo"] is self.recovered
        assert self.recovered or not (self.asked and self.unlimited)
        self.up_to_date = True
        if not argument["completo"]:  # the page loads its history, or is new
            self.since, self.has = int(offset), []


def slow_disk(store: SqliteStore) -> asyncio.Event:
    """An event that blocks all commits while it is not set."""
    writer, works = store._writer, asyncio.Event()
    insert = writer._insert

    async def insert_later(batch: Sequence[Message]) -> None:
        await works.wait()
        await insert(batch)

    writer._insert = insert_later
    works.set()
    return works


class World:
    """Consecutive daemons on one database."""

    def __init__(self, folder: Path, config: ChatConfig) -> None:
        self._folder = folder
        self._config = config
        self._lives = 0
        self._dead: list[SqliteStore] = []
        self._disks: list[asyncio.Event] = []
        self.disk: asyncio.Event
        self.sent: list[Message] = []
        self.people = [Person(identity, unlimited=config.recovery_limit == UNLIMITED) for identity in PEOPLE]
        self.store: SqliteStore
        self.rig: Rig

    async def start(self) -> None:
        self.store = SqliteStore(StoreConfig(db=str(self._folder / f"{self._lives}.db"), synchronous="normal"))
        last_id = await self.store.open()
        put = self.store.put

        def recorded(message: Message, done: Done, *, patient: bool = False) -> None:
            put(message, done, patient=patient)
            self.sent.append(message)

        self.store.put = recorded  # type: ignore[method-assign]
        self.disk = slow_disk(self.store)
        self._disks.append(self.disk)
        self.rig = Rig(self._config, self.store, last_id=last_id, call_soon=asyncio.get_running_loop().call_soon)
        self.rig.wall_s += len(self._dead)  # ids of unstored messages were used, so time must have passed
        self.writers = [self.rig.enter(identity) for identity in PEOPLE[:4]]

    async def kill(self) -> None:
        """The next daemon has the rows that were committed at this moment."""
        self._lives += 1
        for end in ("", "-wal"):
            source = self._folder / f"{self._lives - 1}.db{end}"
            if source.exists():
                shutil.copy(source, self._folder / f"{self._lives}.db{end}")
        for person in self.people:
            person.cut()
        self._dead.append(self.store)
        await self.start()

    async def stop(self) -> None:
        self.disk.set()
        for person in self.people:
            person.cut()
        await self.store.close()
        await self.start()

    async def settle(self) -> None:
        """Every client reads everything, and reconnects if it was disconnected."""
        self.disk.set()
        for person in self.people:
            if person.line is None or person.line.closed is not None:
                person.connect(self.rig)
        until = time.monotonic() + SETTLE_S
        while not all(person.up_to_date for person in self.people) and time.monotonic() < until:
            for person in self.people:
                person.read(1_000)
            await asyncio.sleep(0.0005)  # lets the threads of the store run: a busy loop yields the GIL every 5 ms only
        await self.store.flushed()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for person in self.people:
            assert person.up_to_date
            person.read(1_000)

    async def end(self) -> None:
        for disk in self._disks:
            disk.set()
        for store in [*self._dead, self.store]:
            await store.close()

    async def wait(self) -> None:
        """Wait until the threads of the store are idle."""
        if self.disk.is_set():
            await self.store.flushed()
        for _ in range(3):
            await self.store.history.rows("SELECT 1")


def write(world: World, author: int, para: int, size: int) -> None:
    """The text is the number of the message and padding."""
    text = f"{len(world.sent)} " + "x" * size
    world.writers[author].emit("mensaje_privado", {"para": PEOPLE[para].user, "mensaje": text})


async def play(world: World, steps: list[tuple[Any, ...]]) -> None:  # noqa: C901, PLR0912  # a table of steps
    for what, *how in steps:
        match what:
            case "write":
                for _ in range(how[3]):
                    write(world, *how[:3])
            case "connect":
                world.people[how[0]].connect(world.rig)
            case "cut":
                world.people[how[0]].cut()
            case "read":
                world.people[how[0]].read(how[1])
            case "turns":
                for _ in range(how[0]):
                    await asyncio.sleep(0)
            case "wait":
                await world.wait()
            case "disk stops":
                world.disk.clear()
            case "disk works":
                world.disk.set()
            case "kill":
                await world.kill()
            case "stop":
                await world.stop()


def expected(world: World, person: Person, rows: set[int]) -> Iterator[tuple[int, bool]]:
    """The numbers of the messages that the client should have, and whether each is certain: unstored ones are not."""
    for number, message in enumerate(world.sent):
        mine = message.para == person.identity.user
        if message.id > (person.since or 0) and (mine or (message.supervisado and person.identity.is_admin)):
            yield number, message.id in rows


PLACES: Final = st.integers(0, len(PEOPLE) - 1)
STEPS: Final = st.one_of(
    st.tuples(
        st.just("write"), st.integers(0, 3), st.integers(0, 3), st.sampled_from([0, 0, 100, 400]), st.integers(1, 5)
    ),
    st.tuples(st.just("connect"), PLACES),
    st.tuples(st.just("cut"), PLACES),
    st.tuples(st.just("read"), PLACES, st.integers(1, 5)),
    st.tuples(st.just("turns"), st.integers(1, 30)),
    st.tuples(st.sampled_from(["wait", "wait", "wait", "disk stops", "disk stops", "disk works", "kill", "stop"])),
)


@given(
    steps=st.lists(STEPS, min_size=20, max_size=80),
    deliver=st.sampled_from(["at_once", "stored"]),
    admin_messages=st.sampled_from(["direct", "all"]),
    limit=st.sampled_from([6, UNLIMITED]),
)
@settings(max_examples=75, deadline=None)
def test_every_client_gets_every_message_once_and_in_order(
    steps: list[tuple[Any, ...]], deliver: str, admin_messages: str, limit: int
) -> None:
    """C-28 to C-33, C-35, C-36"""
    config = ChatConfig(
        recovery="on", message_rate=0, deliver=deliver, admin_messages=admin_messages, recovery_limit=limit
    )
    with tempfile.TemporaryDirectory() as folder, small_bounds():
        asyncio.run(every_client_gets_every_message(World(Path(folder), config), steps))


async def every_client_gets_every_message(world: World, steps: list[tuple[Any, ...]]) -> None:
    await world.start()
    try:
        for person in world.people:
            person.connect(world.rig)
        await world.wait()
        for person in world.people:
            person.read(2)
            assert person.up_to_date
        await play(world, steps)
        await world.settle()
        rows = {row[0] for row in await world.store.history.rows("SELECT id FROM mensajes")}
        for person in world.people:
            note(f"{person.identity.user} has {person.has} since {person.since}")
            due = dict(expected(world, person, rows))
            assert person.has == sorted(set(person.has))
            assert set(person.has) <= due.keys()
            assert {number for number, sure in due.items() if sure} <= set(person.has)
    finally:
        await world.end()
