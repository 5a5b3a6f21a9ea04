"""The text of a mail, in notify/mail.py."""

from __future__ import annotations

from chatd.notify.config import STOP_DESK, Notify
from chatd.notify.mail import Wait, write


def test_a_name_adds_no_line_to_a_mail_and_the_longest_wait_is_first() -> None:
    """M-03: names and texts come from the database and may hold anything."""
    config = Notify(name="desk", smtp="localhost", sender="chatd@example.com", to=("desk@example.com",))
    mail = write(
        config,
        config.to,
        [Wait("eva\r\nBcc: all@example.com\u2028", 1_700_000_060_000), Wait("ana", 1_700_000_000_000)],
    )
    assert mail["Subject"] == "2 users wait for an answer"
    assert mail.get_content() == (
        "2 users wait for an answer:\n\nana, since 2023-11-14 22:13 UTC\n"
        "eva??Bcc: all@example.com?, since 2023-11-14 22:14 UTC\n\n"
        f"{STOP_DESK}\n"
    )
    assert write(config, config.to, [Wait("ana", 0)])["Subject"] == "1 user waits for an answer"
