"""A hook that writes to users about answers that they have not read. Rules M-08 to M-10."""

from __future__ import annotations

import functools
import time
from email.message import EmailMessage

import msgspec

from chatd.chat.chat import Chat
from chatd.notify.config import Notify
from chatd.notify.smtp import TAKEN, UnknownRecipientError, draft, send
from chatd.notify.unread import MAX_COUNTED, Letter, Unread
from chatd.webhooks.config import Webhook
from chatd.webhooks.courier import Courier
from chatd.webhooks.hook import Hook, Sides
from chatd.webhooks.memory import key_of
from chatd.webhooks.opening import made


class UserMail(Hook):
    """One mail at a time."""

    def __init__(self, config: Notify, password: str, hook: Webhook, identity: bytes, chat: Chat) -> None:
        self._notify = config
        self._password = password
        self._unread_answers = Unread(config, key_of(hook.name), chat)
        self._unknown = 0
        super().__init__(
            hook, chat, functools.partial(made, hook), Courier(hook, identity, self._post, time.time), _nothing
        )

    def outcomes(self) -> list[tuple[str, int]]:
        """See Hook."""
        held_back = self._unread_answers.held_back
        return [*super().outcomes(), ("held_back", held_back), ("unknown_recipient", self._unknown)]

    async def _sides(self) -> Sides:
        self._unread_answers.begin()
        return Sides(self._unread_answers, [self._unread_answers])

    async def _post(self, headers: list[tuple[str, str]], body: bytes) -> int:
        """See Post in chatd/webhooks/courier.py."""
        del headers  # they sign a webhook
        con = msgspec.json.decode(body)["con"]
        letter = await self._unread_answers.letter(con)
        if letter is None:
            return TAKEN
        try:
            status = await send(self._notify, self._password, write(self._notify, letter))
        except UnknownRecipientError:
            self._unknown += 1
            status = TAKEN
        if status == TAKEN:
            await self._unread_answers.told(con, letter.upto)
        return status


def write(config: Notify, letter: Letter) -> EmailMessage:
    """The mail: a count and the link."""
    count = f"{MAX_COUNTED}+" if letter.answers == MAX_COUNTED else str(letter.answers)
    text = config.text.replace("{count}", count)
    link = f"\n{config.link}\n" if config.link else ""
    return draft(config, [letter.address], config.subject.replace("{count}", count), f"{text}\n{link}")


def _nothing() -> None:
    """There is no connection between two mails."""
