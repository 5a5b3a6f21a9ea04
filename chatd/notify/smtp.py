"""Gives one mail to the SMTP server. Rules M-02 and M-05."""

from __future__ import annotations

import email.policy
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final

import aiosmtplib

from chatd.notify.config import Notify

MAX_LINE_CHARS: Final = 998
"""https://www.rfc-editor.org/rfc/rfc5322#section-2.1.1"""

TAKEN, REFUSED = 250, 400
"""In the words of webhooks: it is done; it is refused, and may be set aside."""

_LONG_LINES: Final = email.policy.SMTP.clone(max_line_length=MAX_LINE_CHARS)
"""A URL in a header is not folded: folded, it would be encoded, and no mail program would find it."""

FOR_GOOD: Final = 500
"""From this code on a reply means never: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1"""


class UnknownRecipientError(Exception):
    """The server accepts mail, but not for this address."""


def draft(config: Notify, to: Sequence[str], subject: str, text: str) -> EmailMessage:
    """A mail in plain text."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = config.sender, ", ".join(to), subject
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=config.sender.partition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers to it
    mail.set_content(text)
    return mail


async def send(config: Notify, password: str, mail: EmailMessage) -> int:
    """TAKEN or REFUSED. Raises OSError for what is tried again, and UnknownRecipientError.

    No error has the words of a reply, which often name the recipient: errors are logged.
    """
    try:
        await aiosmtplib.send(
            mail.as_bytes(policy=_LONG_LINES),
            sender=config.sender,
            recipients=[address.addr_spec for address in mail["To"].addresses],
            hostname=config.smtp,
            port=config.port,
            username=config.user or None,
            password=password or None,
            use_tls=config.security == "tls",
            start_tls=config.security == "starttls",
            timeout=config.timeout,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        if all(refused.code >= FOR_GOOD for refused in error.recipients):
            raise UnknownRecipientError from error
        raise OSError("the server refuses a recipient for now") from error
    except aiosmtplib.SMTPResponseException as error:
        if error.code < FOR_GOOD:
            raise OSError(f"the server answered {error.code}") from error
        return REFUSED
    except aiosmtplib.SMTPException as error:
        raise OSError(str(error)) from error
    return TAKEN
