"""Addresses of users that chatd asks another system for, with a real SMTP server and a real HTTP server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.daemon.config import load
from tests.chat.daemon import daemon
from tests.notify.addressbook import SECRET, AddressBook, knowing_addresses
from tests.notify.mailserver import receiving_mail
from tests.notify.test_usermail import SOON, mailed, until, waits
from tests.notify.test_usermail import write_config as write_mailbox
from tests.ops.operator import operated
from tests.store.rig import Base, ask

PRIVATE = "private_addresses = true"


def write_config(folder: Path, port: int, book: AddressBook, more: str = PRIVATE) -> Path:
    (folder / "email-secret").write_text(SECRET + "\n")
    asks = f'email_url = "{book.url}"\nemail_secret_file = "{folder / "email-secret"}"'
    return write_mailbox(folder, port, f"{SOON}\n{asks}\n{more}")


async def test_users_get_a_mail_at_the_address_that_another_system_knows(db: Base, tmp_path: Path) -> None:
    """M-13, M-14: the address is in no log, and is asked for just before the mail."""
    async with receiving_mail() as server, knowing_addresses() as book:
        book.know("Eva%20%C3%91%2Fx", "eva@example.com")
        book.answers["ana"] = (503, b"later")
        config = write_config(tmp_path, server.port, book)
        async with daemon(db, "--config", config, "--log-level", "debug") as chatd:
            root = await chatd.enter("root", "admin")
            await chatd.enter("Eva Ñ/x")
            await chatd.enter("ana")
            assert book.asked == []
            await root.write("Eva Ñ/x", "a secret")
            await server.until(lambda: mailed(server) == ["eva@example.com"])
            await root.write("ana", "a secret")
            failed = await chatd.logged("webhook does not deliver")
            assert failed["cause"] == "email_url: it answered 503"
            book.know("ana", "ana@example.com")
            await server.until(lambda: mailed(server) == ["eva@example.com", "ana@example.com"])
            await until(lambda: waits(db) == [])
            chatd.terminate()
            await chatd.ended()
            assert "example.com" not in str(chatd.log)
            assert SECRET not in str(chatd.log)
    said = server.mails[0].get_content().replace("\r\n", "\n")
    assert said.endswith("https://shop.example/chat\n\nTo get no such mail: switch it off in the chat.\n")


async def test_who_has_no_address_gets_no_mail_and_who_wants_none_is_not_asked_for(tmp_path: Path) -> None:
    """M-11, M-13"""
    db = tmp_path / "c.db"
    async with receiving_mail() as server, knowing_addresses() as book:
        book.answers |= {"ana": (200, b'{"email": null}'), "eva": (200, b'{"email": "no address"}'), "pia": (204, b"")}
        config = write_config(tmp_path, server.port, book)
        async with operated(db, "--config", str(config)) as operator:
            root, zoe = await operator.chatd.enter("root", "admin"), await operator.chatd.enter("zoe")
            assert await zoe.ask("avisos", {"correo": False}) == {"ok": True, "correo": False}
            for user in ("ana", "eva", "pia", "leo", "zoe"):
                await operator.chatd.enter(user)
                await root.write(user, "an answer")
            await until(lambda: len(set(book.asked)) == 4 and waits(db) == [])
            seen = await operator.metrics()
        assert seen("chatd_webhook_events_total", hook="notify/users", outcome="unknown_recipient") == 4
        assert sorted(book.asked) == ["ana", "eva", "leo", "pia"]
        assert server.mails == []


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (302, b"", "it answered 302"),
        (200, b"ana@example.com", 'its answer is not {"email": "..."}'),
        (200, b" " * 70_000, "its answer is longer than 65536 bytes"),
    ],
)
async def test_an_answer_that_cannot_be_right_is_said_and_asked_for_again(
    tmp_path: Path, status: int, body: bytes, cause: str
) -> None:
    """M-13"""
    async with receiving_mail() as server, knowing_addresses() as book:
        book.answers["ana"] = (status, body)
        async with daemon(tmp_path / "c.db", "--config", write_config(tmp_path, server.port, book)) as chatd:
            root = await chatd.enter("root", "admin")
            await chatd.enter("ana")
            await root.write("ana", "an answer")
            assert (await chatd.logged("webhook does not deliver"))["cause"] == f"email_url: {cause}"
            book.know("ana", "ana@example.com")
            await server.until(lambda: mailed(server) == ["ana@example.com"])


async def test_a_private_address_is_not_asked_unless_a_setting_allows_it(tmp_path: Path) -> None:
    """M-13"""
    async with receiving_mail() as server, knowing_addresses() as book:
        async with daemon(tmp_path / "c.db", "--config", write_config(tmp_path, server.port, book, "")) as chatd:
            root = await chatd.enter("root", "admin")
            await chatd.enter("ana")
            await root.write("ana", "an answer")
            cause = (await chatd.logged("webhook does not deliver"))["cause"]
            assert cause == "email_url: 127.0.0.1 is an address of this machine or a private network"
        assert book.asked == []


async def test_addresses_that_were_found_are_deleted_once_the_setting_is_gone(db: Base, tmp_path: Path) -> None:
    """M-06"""
    kept = "SELECT quien, correo FROM correos WHERE quien = 'ana'"
    async with receiving_mail() as server, knowing_addresses() as book:
        book.know("ana", "ana@example.com")
        async with daemon(db, "--config", write_config(tmp_path, server.port, book)) as chatd:
            root = await chatd.enter("root", "admin")
            await chatd.enter("ana")
            await root.write("ana", "an answer")
            await until(lambda: ask(db, kept) == [("ana", "ana@example.com")])
        async with daemon(db):
            assert ask(db, kept) == [("ana", "")]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('email_url = "https://shop.example/{user}"', "email_url and email_secret_file go together"),
        ('email_url = "https://shop.example/"\nemail_secret_file = "a"', "email_url must be such as https://"),
        ('email_url = "https://{user}.example/"\nemail_secret_file = "a"', "email_url must be such as https://"),
        ('email_url = "ftp://shop.example/{user}"\nemail_secret_file = "a"', "email_url must be such as https://"),
    ],
)
def test_a_url_that_cannot_be_right_is_refused(tmp_path: Path, more: str, why: str) -> None:
    """M-13"""
    with pytest.raises(ConfigError, match=re.escape(why)):
        load({"config": str(write_mailbox(tmp_path, 25, more))}, {})
