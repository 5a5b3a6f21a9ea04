"""A hook that writes to users about answers that they have not read. Rules M-08 to M-10, M-13 to M-15."""

from __future__ import annotations

import functools
import time
from email.message import EmailMessage

import msgspec

from chatd.chat.chat import Chat
from chatd.notify.config import STOP_USER, Notify
from chatd.notify.finder import Finder
from chatd.notify.secrets import Secrets
from chatd.notify.smtp import MAX_LINE_CHARS, TAKEN, UnknownRecipientError, draft, send
from chatd.notify.stop import key_of as key_of_links
from chatd.notify.stop import link_of
from chatd.notify.unread import MAX_COUNTED, Letter, Unread
from chatd.webhooks.config import Webhook
from chatd.webhooks.courier import Courier
from chatd.webhooks.hook import Hook, Sides
from chatd.webhooks.memory import key_of
from chatd.webhooks.opening import made


class UserMail(Hook):
    """One mail at a time."""

    def __init__(self, config: Notify, secrets: Secrets, hook: Webhook, chat: Chat) -> None:
        self._notify = config
        self._password = secrets.password
        self._key = key_of_links(secrets.email)
        self._finder = Finder(config, secrets.email) if config.email_url else None
        self._unread_answers = Unread(config, key_of(hook.name), chat)
        self._unknown = 0
        courier = Courier(hook, secrets.identity, self._post, time.time)
        super().__init__(hook, chat, functools.partial(made, hook), courier, self._close_finder)

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
        if letter is not None and self._finder is not None:
            await self._unread_answers.found(con, await self._finder.address_of(con))
            letter = await self._unread_answers.letter(con)
        if letter is None:
            return TAKEN
        status = await self._send(con, letter)
        if status == TAKEN:
            await self._unread_answers.told(con, letter.upto)
        return status

    async def _send(self, con: str, letter: Letter) -> int:
        """TAKEN also where nobody can be written to. Raises OSError for what is tried again."""
        config = self._notify
        stop_link = link_of(config.public_url, self._key, con) if config.public_url else ""
        try:
            if letter.address:
                return await send(config, self._password, write(config, letter, stop_link))
        except UnknownRecipientError:
            pass
        self._unknown += 1
        return TAKEN

    def _close_finder(self) -> None:
        if self._finder is not None:
            self._finder.close()


def write(config: Notify, letter: Letter, stop_link: str = "") -> EmailMessage:
    """The mail: a count, the link, and how to get no such mail."""
    count = f"{MAX_COUNTED}+" if letter.answers == MAX_COUNTED else str(letter.answers)
    text = config.text.replace("{count}", count)
    parts = [text, config.link, f"{config.stop or STOP_USER}\n{stop_link}".rstrip()]
    said = "\n\n".join(part for part in parts if part)
    mail = draft(config, [letter.address], config.subject.replace("{count}", count), f"{said}\n")
    if stop_link and len(stop_link) < MAX_LINE_CHARS - 30:  # https://www.rfc-editor.org/rfc/rfc8058
        mail["List-Unsubscribe"] = f"<{stop_link}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return mail
