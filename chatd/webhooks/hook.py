"""Runs one webhook: reads the log from the stored position, passes events to its courier, stores the new position.

Rules W-02, W-04, W-08 and W-10.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence, Set
from typing import Final, NamedTuple, Protocol

from chatd.base.tasks import Tasks
from chatd.chat.chat import Chat
from chatd.store.base import Message, StoreError
from chatd.store.positions import WHOLE, Position
from chatd.webhooks import log
from chatd.webhooks.casenews import CaseNews, forget_cases
from chatd.webhooks.config import Webhook
from chatd.webhooks.courier import Courier, SwitchedOffError
from chatd.webhooks.desk import desk_of
from chatd.webhooks.events import Event, conversation_of, is_answer
from chatd.webhooks.lines import Item, Lines
from chatd.webhooks.memory import Memory, key_of
from chatd.webhooks.presencenews import PresenceNews, forget_presence
from chatd.webhooks.saves import SAVE_EVERY_S, Saves
from chatd.webhooks.waits import Waits
from chatd.webhooks.window import Window

PAGE_ROWS: Final = 64

POLL_S: Final = 1.0
"""Time between two reads without a wake-up: a wake-up for a message of another node may come before it is stored."""

LOOK_S: Final = 1.0
"""Time between two checks for events that do not come from the log."""

AGAIN_S: Final = 2.0
"""Pause after an error of the database, and while another node serves the webhook or it is switched off."""

PASS_S: Final = 0.01
"""Pause between two passes over log and window, so that one read and one turn of the loop serve many events."""


class Side(Protocol):
    """A source of events other than the log."""

    async def due(self) -> list[Item]: ...


class Follower(Protocol):
    """Stores in the database what it derives from the log."""

    async def follow(self, messages: Sequence[Message]) -> None: ...


class Sides(NamedTuple):
    """The sources of events other than messages."""

    follower: Follower | None
    all: list[Side]


Make = Callable[[Message], Event | None]
"""The event of a message, or None if the webhook does not get it."""


class Hook:
    """Works from `start` to `close`."""

    def __init__(self, hook: Webhook, chat: Chat, make: Make, courier: Courier, release: Callable[[], None]) -> None:
        """`release` frees the resources of the courier; it is called at the end."""
        self.config = hook
        self._chat = chat
        self._store = chat.store
        self._feed = chat.messages.feed
        self._make = make
        self._memory = Memory(chat.store, hook.name)
        self.courier = courier
        self._release = release
        self._made_at = chat.messages.feed.position
        self._wake = asyncio.Event()
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        self._unread = True
        self.is_off = False
        self._lines = Lines()

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def unfinished(self) -> int:
        """Events that were read and are not delivered yet; Window limits them."""
        return len(self._lines)

    @property
    def behind_s(self) -> float:
        """Age of the oldest unfinished event."""
        oldest_ms = self._lines.oldest_ms
        return 0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1_000)

    def outcomes(self) -> list[tuple[str, int]]:
        """Outcomes of events since the start of the process."""
        courier = self.courier
        return [("delivered", courier.delivered), ("failed", courier.failures), ("set_aside", courier.aside)]

    def start(self) -> None:
        self._feed.listeners.append(self._on_message)
        self._task = self._tasks.start(self._run(), f"webhook {self.config.name}")

    async def close(self) -> None:
        """Idempotent. Requests under way are aborted, and sent again after the next start."""
        task, self._task = self._task, None
        if task is not None:
            self._feed.listeners.remove(self._on_message)
            task.cancel()
            await asyncio.wait([task])
            self._release()

    def _on_message(self, _message: Message) -> None:
        self._unread = True
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                async with self._store.hook_turn(key_of(self.config.name)) as is_ours:
                    if is_ours:
                        await self._serve()
            except StoreError as error:
                log.warning("a webhook waits for the database", extra={"hook": self.config.name, "code": error.code})
            await asyncio.sleep(AGAIN_S)

    async def _serve(self) -> None:
        """Serve until the webhook is switched off; return at once if it is. Raises StoreError."""
        known, off_since = await self._memory.load()
        if off_since:
            if not self.is_off:
                log.warning("webhook is switched off", extra={"hook": self.config.name})
            self.is_off = True
            return
        if self.is_off:
            log.info("webhook is switched on again", extra={"hook": self.config.name})
        self.is_off = False
        position = await (self._store.log_from(known) if known else self._first_position())
        if position != known:
            await self._memory.replace(position)
        ended: list[Exception] = []
        self._lines = Lines()
        try:
            async with asyncio.TaskGroup() as group:
                await self._work(Window(position), group)
        except* (SwitchedOffError, StoreError) as errors:
            ended.extend(errors.exceptions)
        finally:
            self._lines = Lines()
        if any(isinstance(error, SwitchedOffError) for error in ended):
            await self._memory.switch_off()
            self.is_off = True
            log.warning("webhook switched off: its receiver has answered 410", extra={"hook": self.config.name})
            return
        raise ended[0]

    async def _first_position(self) -> Position:
        """The end of the log when this webhook was created, by a start or a reload; with several nodes, the end now."""
        if self._store.log_of(self._made_at) == WHOLE:
            return {WHOLE: self._made_at}
        return await self._store.log_from(None)

    async def _work(self, window: Window, group: asyncio.TaskGroup) -> None:
        """Never returns; raises StoreError."""
        clock = asyncio.get_running_loop().time
        follower, sides = await self._sides()
        saves, look_at = Saves(self._memory, window.position, clock), 0.0
        try:
            while True:
                self._wake.clear()
                if self._unread and window.room:
                    await self._read(window, follower, group)
                if clock() >= look_at:
                    for side in sides:
                        for item in await side.due():
                            self._begin_with(item, group)
                    look_at = clock() + LOOK_S
                window.advance()
                await saves.now_and_then()
                await asyncio.sleep(PASS_S)
                if not self._unread or not window.room:
                    await self._wait(SAVE_EVERY_S if saves.is_behind else POLL_S)
        except asyncio.CancelledError:
            window.advance()
            await saves.at_end()
            raise

    async def _sides(self) -> Sides:
        """Raises StoreError."""
        parts = (self.config, self._memory, self._chat)
        sides: list[Side] = []
        waits = Waits(*parts) if "sin_respuesta" in self.config.events else None
        if waits is not None:
            sides.append(waits)
        if "conversacion" in self.config.events:
            sides.append(CaseNews(*parts))
        else:
            await forget_cases(self._chat, self.config.name)
        if "presencia" in self.config.events:
            sides.append(PresenceNews(*parts))
        else:
            await forget_presence(self._chat, self.config.name)
        return Sides(waits, sides)

    async def _read(self, window: Window, follower: Follower | None, group: asyncio.TaskGroup) -> None:
        self._unread = False
        rows = min(PAGE_ROWS, window.room)
        await self._store.flushed()  # all delivered messages are then in the log
        messages = await self._store.log_after(window.read, rows)
        if follower is not None:
            await follower.follow(messages)
        desk = await desk_of(self._chat, messages)
        for message in messages:
            event = self._event(message, desk)
            item = Item(self._memory, message.id, message.fecha, event, self._store.log_of(message.id))
            window.add(item)
            self._begin_with(item, group)
        if len(messages) == rows:
            self._unread = True

    def _event(self, message: Message, desk: Set[str]) -> Event | None:
        event = self._make(message)
        if event is None or (is_answer(message, desk) and not self.config.answers):
            return None
        return event._replace(con=conversation_of(message, desk))

    def _begin_with(self, item: Item, group: asyncio.TaskGroup) -> None:
        """Send the event now, or after the events of its conversation that are not delivered yet."""
        if self._lines.add(item):
            group.create_task(self.courier.work(self._lines, item, self._wake.set))

    async def _wait(self, longest_s: float) -> None:
        try:
            async with asyncio.timeout(longest_s):
                await self._wake.wait()
        except TimeoutError:
            self._unread = True
