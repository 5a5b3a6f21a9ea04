"""A real SMTP server, aiosmtpd; with STARTTLS and a login if it has a certificate."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOGIN: Final = LoginPassword(b"chatd", "contraseña".encode())

PATIENCE_S: Final = 20.0


class MailServer:
    """`answer` is the SMTP reply to each mail."""

    def __init__(self) -> None:
        self.answer: Callable[[], str] = lambda: "250 OK"
        self.mails: list[EmailMessage] = []  # accepted mails
        self.recipients: list[list[str]] = []
        self.refused = 0
        self.unknown: set[str] = set()  # recipients that are refused
        self.is_busy = False  # refuse all recipients for now
        self.port = 0
        self._changed = asyncio.Event()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.unknown:
            return f"550 no such user: {address}"
        if self.is_busy:
            return f"451 later: {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd
        answer = self.answer()
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.recipients.append(envelope.rcpt_tos)
        else:
            self.refused += 1
        self._changed.set()
        return answer

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self._changed.clear()
                await self._changed.wait()


@contextlib.asynccontextmanager
async def receiving_mail(
    certificate: Path | None = None, key: Path | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[MailServer]:
    """A running server; with `tls` it speaks TLS from the start."""
    mails = MailServer()

    def smtp() -> SMTP:
        if certificate is None:
            return SMTP(mails, hostname="localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return SMTP(
            mails,
            hostname="localhost",
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=lambda _server, _session, _envelope, _mechanism, login: AuthResult(success=login == LOGIN),
        )

    server = await asyncio.get_running_loop().create_server(smtp, "127.0.0.1", 0, ssl=tls)
    mails.port = server.sockets[0].getsockname()[1]
    try:
        yield mails
    finally:
        server.close()
