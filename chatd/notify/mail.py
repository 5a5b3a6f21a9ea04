"""Writes one mail about all who wait, and gives it to the SMTP server. Rules M-03 to M-05 and M-12.

The text names users and times, and quotes no message.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Collection, Sequence
from email.message import EmailMessage
from typing import Final, NamedTuple

import msgspec

from chatd.base.tasks import Tasks
from chatd.notify.config import STOP_DESK, Notify
from chatd.notify.smtp import TAKEN, UnknownRecipientError, draft, send
from chatd.store.base import StoreError

GATHER_S: Final = 0.5
"""Who waits at the same time is in one mail."""

MAX_NAME_CHARS: Final = 64


Silenced = Callable[[Sequence[str]], Awaitable[Collection[str]]]
"""Those of some addresses, in small letters, that want no mail. Raises StoreError."""


class Wait(NamedTuple):
    """A user, and since when in ms."""

    con: str
    fecha: int


class _Data(msgspec.Struct):
    con: str
    fecha: int


class _Event(msgspec.Struct):
    data: _Data


class Mailer:
    """For one `[[notify]]`."""

    def __init__(self, config: Notify, password: str, silenced: Silenced) -> None:
        self._config = config
        self._password = password
        self._silenced = silenced
        self._waiting: list[tuple[Wait, asyncio.Future[int]]] = []
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        self._not_before_s = 0.0

    async def post(self, headers: list[tuple[str, str]], body: bytes) -> int:
        """See Post in chatd/webhooks/courier.py. Raises OSError for what is tried again."""
        del headers  # they sign a webhook
        data = msgspec.json.decode(body, type=_Event).data
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((Wait(data.con, data.fecha), answer))
        if self._task is None:
            self._task = self._tasks.start(self._work(), "mail")
        return await answer

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while self._waiting:
                await asyncio.sleep(max(GATHER_S, self._not_before_s - clock()))
                batch = [(wait, answer) for wait, answer in self._waiting if not answer.done()]
                self._waiting = []
                if not batch:
                    continue
                outcome: int | OSError = OSError("the mail was not sent")
                try:
                    outcome = await self._send([wait for wait, _ in batch])
                    self._not_before_s = clock() + self._config.pause
                except (OSError, StoreError) as error:
                    outcome = OSError(str(error))
                finally:
                    self._answer(batch, outcome)
        finally:
            self._task = None

    def _answer(self, batch: list[tuple[Wait, asyncio.Future[int]]], outcome: int | OSError) -> None:
        for _, answer in batch:
            if answer.done():
                continue
            if isinstance(outcome, int):
                answer.set_result(outcome)
            else:
                answer.set_exception(outcome)

    async def _send(self, waits: list[Wait]) -> int:
        """Raises OSError and StoreError for errors that are retried."""
        config = self._config
        silenced = await self._silenced(config.to)
        to = [address for address in config.to if address.lower() not in silenced]
        if not to:
            return TAKEN
        try:
            return await send(config, self._password, write(config, to, waits))
        except UnknownRecipientError as error:
            raise OSError("the server knows no recipient") from error


def write(config: Notify, to: Sequence[str], waits: list[Wait]) -> EmailMessage:
    """The mail, in plain text."""
    who = "1 user waits" if len(waits) == 1 else f"{len(waits)} users wait"
    lines = [f"{_shown(wait.con)}, since {_when(wait.fecha)}" for wait in sorted(waits, key=lambda wait: wait.fecha)]
    lines += ["", config.link] if config.link else []
    lines += ["", config.stop or STOP_DESK]
    text = "\n".join([f"{who} for an answer:", "", *lines, ""])
    return draft(config, to, f"{who} for an answer", text)


def _shown(user: str) -> str:
    """A name on one line, whatever it holds."""
    return "".join(letter if letter.isprintable() else "?" for letter in user[:MAX_NAME_CHARS])


def _when(ms: int) -> str:
    return datetime.datetime.fromtimestamp(ms / 1_000, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
