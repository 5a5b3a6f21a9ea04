"""Checks the files that the API, webhooks and mailboxes need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chatd.api.config import ApiConfig
from chatd.cli.checks.finding import Findings
from chatd.cli.exposed import exposed_key

if TYPE_CHECKING:
    from chatd.notify.config import Notify
    from chatd.webhooks.config import Webhook


def check_api(config: ApiConfig, findings: Findings) -> None:
    if not config.api or config.api_keys_file is None:
        return
    from chatd.api.keys import load_keys  # noqa: PLC0415 - loaded only when used

    with findings.refused_as("api_keys_file"):
        findings.ok("api_keys_file", f"{config.api_keys_file}: {len(load_keys(config.api_keys_file))} keys")


def check_webhooks(hooks: Sequence[Webhook], findings: Findings) -> None:
    for hook in hooks:
        from chatd.webhooks.opening import secret_of  # noqa: PLC0415 - loaded only when used

        subject = f"webhook {hook.name}"
        with findings.refused_as(subject):
            secret_of(hook)
            findings.ok(subject, f"the secret of {hook.url} can be read")
        _check_private(subject, hook.secret_path, findings)


def check_mailboxes(mailboxes: Sequence[Notify], findings: Findings) -> None:
    for notify in mailboxes:
        from chatd.notify.opening import email_secret_of, password_of  # noqa: PLC0415 - loaded only when used

        subject = f"notify {notify.name}"
        with findings.refused_as(subject):
            password_of(notify)
            email_secret_of(notify)
            findings.ok(subject, f"mail goes to {', '.join(notify.to)} by {notify.smtp}")
        for file in (notify.password_path, notify.email_secret_path):
            _check_private(subject, file, findings)


def _check_private(subject: str, file: Path | None, findings: Findings) -> None:
    if file is not None and (text := exposed_key(file)) is not None:
        findings.warning(subject, text)
