"""`[[notify]]` in the configuration file. Rules M-01, M-02, M-07, M-13 to M-15."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from chatd.base.errors import ConfigError
from chatd.webhooks.config import URL
from chatd.webhooks.tables import read_tables

MAX_NOTIFY: Final = 20

_ADDRESS: Final = re.compile(r"[^\s@<>,;:\"()]{1,64}@[^\s@<>,;:\"()]{1,253}")

STOP_DESK: Final = (
    "To get no such mail: switch it off in the console, or ask the people who run the chat to take this address out."
)
STOP_USER: Final = "To get no such mail: switch it off in the chat."

TEXT: Final = "New answers for you in the chat: {count}"

Address = Annotated[str, Meta(min_length=3, max_length=254)]


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"sender": "from"}):
    """The recipients and the SMTP server. Times are in seconds."""

    name: str
    smtp: str
    sender: Address
    event: Literal["sin_respuesta", "no_leido"] = "sin_respuesta"
    """`sin_respuesta`: mail to the desk. `no_leido`: mail to users."""
    to: Annotated[tuple[Address, ...], Meta(max_length=50)] = ()
    port: Annotated[int, Meta(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    link: Annotated[str, Meta(max_length=1_000)] = ""
    """URL of the page where people read and answer; in each mail."""
    unanswered: Annotated[float, Meta(gt=0, le=2_592_000)] = 300.0
    unattended: Annotated[float, Meta(ge=0, le=86_400)] = 10.0
    pause: Annotated[float, Meta(ge=1, le=86_400)] = 900.0
    """Least time between two mails to the desk, or to one address of a user."""
    unread: Annotated[float, Meta(gt=0, le=2_592_000)] = 600.0
    """Age of an unread answer at which `no_leido` is sent."""
    subject: Annotated[str, Meta(min_length=1, max_length=200)] = "New answers: {count}"
    text: Annotated[str, Meta(min_length=1, max_length=10_000)] = TEXT
    """Subject of a mail to a user."""
    stop: Annotated[str, Meta(max_length=1_000)] = ""
    """The end of each mail: how to stop these mails. Empty: STOP_DESK or STOP_USER."""
    email_url: Annotated[str, Meta(max_length=1_000)] = ""
    """URL that returns the address of a user; {user} stands for the name."""
    public_url: Annotated[str, Meta(max_length=200)] = ""
    """Public URL of the main listener, for the link in mail to users that stops these mails."""
    email_secret_file: str = ""
    """File with the secret for `email_url` and `public_url`."""
    private_addresses: bool = False
    """Allow addresses of this machine and of private networks for `email_url`."""
    timeout: Annotated[float, Meta(gt=0, le=300)] = 30.0

    @property
    def password_path(self) -> Path | None:
        return Path(self.password_file).expanduser() if self.password_file else None

    @property
    def email_secret_path(self) -> Path | None:
        return Path(self.email_secret_file).expanduser() if self.email_secret_file else None

    @property
    def credential(self) -> str:
        """The name of the systemd credential with the password."""
        return f"notify-{self.name}"

    @property
    def email_credential(self) -> str:
        """The name of the systemd credential with the secret."""
        return f"notify-email-{self.name}"


def read_notify(tables: Sequence[Mapping[str, Any]], wheres: Sequence[str]) -> tuple[Notify, ...]:
    """`wheres` has the place of each table, for errors. Raises ConfigError."""
    found = read_tables("notify", Notify, MAX_NOTIFY, tables, wheres)
    for notify, where in zip(found, wheres, strict=True):
        _check(notify, f"{where}: [[notify]]")
    for_users = [where for notify, where in zip(found, wheres, strict=True) if notify.event == "no_leido"]
    if len(for_users) > 1:
        raise ConfigError(f"{for_users[1]}: [[notify]]: a user gets one mail about an answer: take one event no_leido")
    return found


def _check(notify: Notify, where: str) -> None:
    """Raises ConfigError."""
    for address in (notify.sender, *notify.to):
        if not _ADDRESS.fullmatch(address):
            raise ConfigError(f"{where}: from and to are addresses such as desk@example.com")
    if bool(notify.user) != bool(notify.password_file):
        raise ConfigError(f"{where}: user and password_file go together")
    if notify.user and notify.security == "none":
        raise ConfigError(f"{where}: a password is sent over TLS alone: take security starttls or tls")
    if any(ord(letter) < 32 for letter in notify.link + notify.subject):
        raise ConfigError(f"{where}: link and subject are one line each")
    _check_url(notify, where)
    if bool(notify.to) == (notify.event == "no_leido"):
        raise ConfigError(f"{where}: to has the addresses of the desk; with the event no_leido each user has its own")


def _check_url(notify: Notify, where: str) -> None:
    """Raises ConfigError."""
    needs_secret = bool(notify.email_url or notify.public_url)
    if needs_secret != bool(notify.email_secret_file):
        raise ConfigError(
            f"{where}: email_url and email_secret_file go together, as public_url and email_secret_file do"
        )
    if needs_secret and notify.event != "no_leido":
        raise ConfigError(
            f"{where}: email_url and public_url are for the event no_leido: the desk has its addresses in to"
        )
    if notify.public_url and not URL.fullmatch(notify.public_url):
        raise ConfigError(f"{where}: public_url must be such as https://chat.example.com")
    host, _, path = notify.email_url.partition("//")[2].partition("/")
    if notify.email_url and (not URL.fullmatch(notify.email_url) or "{user}" in host or path.count("{user}") != 1):
        raise ConfigError(
            f"{where}: email_url must be such as https://shop.example/people/{{user}}/email, without a password in it"
        )
