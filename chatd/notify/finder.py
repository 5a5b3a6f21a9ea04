"""Gets the e-mail address of a user from another system: a GET of `email_url`. Rule M-13."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import h11
import msgspec

from chatd.base.mailaddress import is_address
from chatd.notify.config import Notify
from chatd.webhooks.address import parse_target
from chatd.webhooks.answer import MAX_ANSWER_BYTES
from chatd.webhooks.client import NO_ANSWER, Poster

UNKNOWN: Final = frozenset({204, 404, 410})
"""Answers that mean that the user has no address."""


class _Answer(msgspec.Struct):
    email: str | None = None


class Finder:
    """The client of one mailbox's `email_url`."""

    def __init__(self, config: Notify, secret: str) -> None:
        target = parse_target(config.email_url)
        self._path = target.path
        self._headers = [("Authorization", f"Bearer {secret}"), ("Accept", "application/json")]
        self._poster = Poster(target, private=config.private_addresses, timeout_s=config.timeout)

    async def address_of(self, user: str) -> str:
        """The address; empty if the user has none. Raises OSError, which does not quote the answer, to try again."""
        try:
            answer = await self._poster.get(self._path.replace("{user}", quote(user, safe="")), self._headers)
        except NO_ANSWER as error:
            quotes = isinstance(error, h11.RemoteProtocolError)  # its message quotes the answer
            words = "" if quotes else str(error)
            raise OSError(f"email_url: {words or type(error).__name__}") from error
        if answer.status in UNKNOWN:
            return ""
        if answer.status != 200:
            raise OSError(f"email_url: it answered {answer.status}")
        if len(answer.body) > MAX_ANSWER_BYTES:
            raise OSError(f"email_url: its answer is longer than {MAX_ANSWER_BYTES} bytes")
        try:
            said = msgspec.json.decode(answer.body, type=_Answer).email or ""
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OSError('email_url: its answer is not {"email": "..."}') from error
        return said if is_address(said) else ""

    def close(self) -> None:
        self._poster.close()
